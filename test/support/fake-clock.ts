import type { Clock } from '../../core/time/clock.ts'

interface Alarm {
  readonly dueMs: number
  readonly ring: () => void
}

/**
 * A clock that stands still until a test moves it. Starts at 1,000,000 ms monotonic and 2026-01-01T00:00:00Z.
 * Alarms ring in the order of their due time, and each one's promises settle before the next rings.
 */
export class FakeClock implements Clock {
  #monotonicMs = 1_000_000
  #wallOffsetMs = Date.UTC(2026, 0, 1) - 1_000_000
  #alarms: Alarm[] = []

  nowMs(): number {
    return this.#monotonicMs + this.#wallOffsetMs
  }

  monotonicMs(): number {
    return this.#monotonicMs
  }

  /** How many alarms and sleepers wait: 0 at the end of a test that leaks none. */
  get pending(): number {
    return this.#alarms.length
  }

  after(delayMs: number, callback: () => void): Disposable {
    const alarm = { dueMs: this.#monotonicMs + Math.max(0, delayMs), ring: callback }
    this.#alarms.push(alarm)
    return { [Symbol.dispose]: () => this.#remove(alarm) }
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = (): void => {
        alarm[Symbol.dispose]()
        reject(signal?.reason)
      }
      const alarm = this.after(delayMs, () => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      })
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }

  /** Moves time forward by `ms`, ringing everything that falls due on the way, and lets promises settle. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#monotonicMs + ms
    await settled()
    for (let next = this.#nextUntil(untilMs); next !== undefined; next = this.#nextUntil(untilMs)) {
      this.#remove(next)
      this.#monotonicMs = Math.max(this.#monotonicMs, next.dueMs)
      next.ring()
      await settled()
    }
    this.#monotonicMs = untilMs
    await settled()
  }

  /** Makes the wall clock jump, as an operator or NTP does; monotonic time and alarms do not notice. */
  jumpWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs
  }

  #nextUntil(untilMs: number): Alarm | undefined {
    let first: Alarm | undefined
    for (const alarm of this.#alarms) {
      if (alarm.dueMs <= untilMs && (first === undefined || alarm.dueMs < first.dueMs)) first = alarm
    }
    return first
  }

  #remove(alarm: Alarm): void {
    const at = this.#alarms.indexOf(alarm)
    if (at !== -1) this.#alarms.splice(at, 1)
  }
}

/** Lets every promise that can settle now, settle: a turn of the event loop, not a stretch of time. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}
