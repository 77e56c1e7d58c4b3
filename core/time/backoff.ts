/** The pauses between attempts of one call. */
export interface Backoff {
  /** Pause before the second attempt, in milliseconds. */
  readonly firstMs: number
  /** Longest pause, in milliseconds. */
  readonly maxMs: number
  /** Growth from one pause to the next; 2 doubles it. */
  readonly factor: number
  /** Share of each pause that is random, 0 to 1; spreads callers that failed together. */
  readonly jitterRatio: number
}

/**
 * Returns the pause before attempt number `attempt` (the first retry is 1), with jitter taken from `random` (0 to 1).
 * @see Brooker, "Exponential Backoff And Jitter" (2015)
 */
export function backoffDelayMs(backoff: Backoff, attempt: number, random: () => number): number {
  const full = Math.min(backoff.maxMs, backoff.firstMs * backoff.factor ** (attempt - 1))
  return full * (1 - backoff.jitterRatio * random())
}
