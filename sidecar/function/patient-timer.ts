import type { Clock } from '#core/lean'

/**
 * Calls back when `delayMs` have passed without being disposed, in two steps: when this process was held up for long, what has come in the
 * meantime is read between them, and can still dispose it.
 */
export function patientTimer(clock: Clock, delayMs: number, callback: () => void): Disposable {
  let timer = clock.after(delayMs / 2, () => {
    timer = clock.after(delayMs / 2, callback)
  })
  return { [Symbol.dispose]: () => timer[Symbol.dispose]() }
}
