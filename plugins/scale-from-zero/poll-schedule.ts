import type { ScaleFromZeroOptions } from './options.ts'

/** What decides when to ask next. */
export interface PollMoment {
  /** How long the wake has lasted. */
  readonly elapsedMs: number
  /** Wakes that this gateway leads at the moment, this one included. */
  readonly wakes: number
}

/**
 * Returns the pause before the next status call: short at first, then a fixed share of the time the wake has lasted, so
 * that the share of a cold start lost to polling stays the same whether it takes 100 ms or 10 s. With many wakes at once they
 * share the calls that a second may have, whatever the schedule says. Up to 10 % shorter at random, so that wakes do not ask in
 * step.
 */
export function pollPauseMs(
  options: Pick<ScaleFromZeroOptions, 'pollFirst' | 'pollGrowthRatio' | 'pollMax' | 'maxPollsPerSecond'>,
  { elapsedMs, wakes }: PollMoment,
  random: () => number,
): number {
  const pause = Math.min(options.pollMax, Math.max(options.pollFirst, elapsedMs * options.pollGrowthRatio))
  const share = (wakes * 1000) / options.maxPollsPerSecond
  return Math.max(pause, share) * (1 - 0.1 * random())
}
