import type { Clock } from './clock.ts'

/** Something that runs out of time. One object takes part in one {@link Deadlines} at a time. */
export interface Expiring {
  /** For {@link Deadlines} only. */
  deadlineMs: number
  /** Called once when the time is over; never after `remove`. */
  expire(): void
}

/**
 * Time limits of one length, with a single timer for all of them: as many limits begin as calls, and nearly none is ever
 * reached. A limit is noticed up to `stepMs` late.
 *
 * Cost: a set insertion and a deletion per limit. Insertion order is order of expiry, for all limits are equally long.
 */
export class Deadlines implements Disposable {
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #stepMs: number
  readonly #waiting = new Set<Expiring>()
  #timer: Disposable | undefined

  constructor(clock: Clock, timeoutMs: number, stepMs: number) {
    this.#clock = clock
    this.#timeoutMs = timeoutMs
    this.#stepMs = stepMs
  }

  /** Begins a limit. */
  add(one: Expiring): void {
    one.deadlineMs = this.#clock.monotonicMs() + this.#timeoutMs
    this.#waiting.add(one)
    this.#timer ??= this.#clock.after(this.#stepMs, this.#check)
  }

  /** Ends a limit that was not reached. */
  remove(one: Expiring): void {
    this.#waiting.delete(one)
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
    this.#waiting.clear()
  }

  readonly #check = (): void => {
    const nowMs = this.#clock.monotonicMs()
    for (const one of this.#waiting) {
      if (one.deadlineMs > nowMs) break
      this.#waiting.delete(one)
      one.expire()
    }
    this.#timer = this.#waiting.size === 0 ? undefined : this.#clock.after(this.#stepMs, this.#check)
  }
}
