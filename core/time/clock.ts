import { token } from '../container/token.ts'

/** Everything that depends on time asks this port, so that tests own it. */
export interface Clock {
  /** Milliseconds since the Unix epoch, with a fraction where the platform has one. May jump with the wall clock. */
  nowMs(): number
  /** Milliseconds from an arbitrary start; never goes back. For durations. */
  monotonicMs(): number
  /**
   * Calls `callback` once after `delayMs`, unless disposed before. The timer never keeps the process alive.
   */
  after(delayMs: number, callback: () => void): Disposable
  /**
   * Resolves after `delayMs`.
   * @throws the signal's reason when `signal` aborts first
   */
  sleep(delayMs: number, signal?: AbortSignal): Promise<void>
}

/** Token of the {@link Clock}. */
export const Clock = token<Clock>('Clock')
