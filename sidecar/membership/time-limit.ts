import type { Clock } from '#core/lean'

/** Ends one attempt when its time is over, or earlier when somebody says so. */
export class TimeLimit implements Disposable {
  readonly #clock: Clock
  readonly #controller = new AbortController()
  #timer: Disposable
  #isShortened = false

  /** @param limitMs from now on */
  constructor(clock: Clock, limitMs: number) {
    this.#clock = clock
    this.#timer = this.#expireAfter(limitMs)
  }

  /** Aborts when the attempt has to end. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** Leaves the attempt this long from now on; once. */
  shorten(limitMs: number): void {
    if (this.#isShortened) return
    this.#isShortened = true
    this.#timer[Symbol.dispose]()
    this.#timer = this.#expireAfter(limitMs)
  }

  /** Ends the attempt now. */
  readonly end = (): void => this.#controller.abort(new Error('given up'));

  /** The attempt is over. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]()
  }

  #expireAfter(limitMs: number): Disposable {
    return this.#clock.after(limitMs, () => this.#controller.abort(new Error(`no answer within ${limitMs} ms`)))
  }
}
