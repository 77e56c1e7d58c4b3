import { backoffDelayMs, type Backoff } from '../time/backoff.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'

/** What is kept running, and how. */
export interface KeepRunningOptions {
  readonly clock: Clock
  readonly random: Random
  /** Ends it: what runs then is not run again. */
  readonly signal: AbortSignal
  /** Told why it does not run, and when it will again. */
  readonly onProblem: (reason: string) => void
}

const pauses: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitterRatio: 0.2 }
/** What ran for so long failed anew: what went wrong before does not count any more. */
const stableAfterMs = 10_000

/**
 * Runs something again whenever it ends, after a pause that grows with every failure in a row, until `signal` aborts.
 * @param runOnce resolves with what went wrong when it has ended. Must not reject
 */
export async function keepRunning(
  runOnce: () => Promise<string>,
  { clock, random, signal, onProblem }: KeepRunningOptions,
): Promise<void> {
  let failures = 0
  while (!signal.aborted) {
    const startedMs = clock.monotonicMs()
    const problem = await runOnce()
    if (signal.aborted) return
    if (clock.monotonicMs() - startedMs > stableAfterMs) failures = 0
    failures += 1
    const delayMs = backoffDelayMs(pauses, failures, random)
    onProblem(`${problem}; failure ${failures}, next start in ${Math.round(delayMs)} ms`)
    await clock.sleep(delayMs, signal).catch(() => {})
  }
}
