/**
 * Resolves with the first value of `probe` that is neither undefined nor false, asking again every few milliseconds.
 * @param what completes "timed out waiting for ..."
 * @throws Error when there is none within `withinMs` (default 5,000)
 */
export async function eventually<T>(
  what: string,
  probe: () => T | Promise<T>,
  withinMs = 5_000,
): Promise<Exclude<T, undefined | false>> {
  const untilMs = performance.now() + withinMs
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value as Exclude<T, undefined | false> // checked on this line
    if (performance.now() > untilMs) throw new Error(`timed out waiting for ${what}`)
    await new Promise((resolve) => setTimeout(resolve, 4))
  }
}

/** Resolves after `ms`: for holding a fault open for a while, never for waiting until something has happened. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
