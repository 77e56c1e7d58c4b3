import type { Clock } from '../time/clock.ts'

/** Thrown when a time limit has passed. */
export class LimitPassed extends Error {
  constructor(limitMs: number) {
    super(`no answer within ${limitMs} ms`)
  }
}

/** A time limit; `signal` ends the wait earlier. */
export interface Limit {
  readonly clock: Clock
  readonly limitMs: number
  readonly signal?: AbortSignal
}

/**
 * Settles as `work` does, if that happens in time. A stall of this process does not count against `work`: after one, timers fire
 * before the sockets are read, so that an answer that lies in a socket already is waited for.
 *
 * @throws LimitPassed when the limit has passed, or the signal's reason; `work` goes on, and its outcome is dropped
 */
export function withinLimit<T>(work: Promise<T>, { clock, limitMs, signal }: Limit): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => finish(() => reject(signal?.reason))
    // An immediate runs after the sockets were read, and the promises that wait for them were told.
    const onAlarm = (): void => void setImmediate(() => finish(() => reject(new LimitPassed(limitMs))))
    const alarm = clock.after(limitMs, onAlarm)
    const finish = (settle: () => void): void => {
      alarm[Symbol.dispose]()
      signal?.removeEventListener('abort', onAbort)
      settle()
    }
    signal?.addEventListener('abort', onAbort, { once: true })
    if (signal?.aborted === true) onAbort()
    work.then(
      (value) => finish(() => resolve(value)),
      (error: unknown) => finish(() => reject(error)),
    )
  })
}
