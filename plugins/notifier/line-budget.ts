import type { Clock } from '#core'

/** Lets so many lines a second through and counts the others. Seconds are counted from the first line of each. */
export class LineBudget {
  readonly #clock: Clock
  readonly #perSecond: number
  #secondBeganMs = Number.NEGATIVE_INFINITY
  #taken = 0
  #leftOut = 0

  /** @param perSecond Infinity lets every line through */
  constructor(clock: Clock, perSecond: number) {
    this.#clock = clock
    this.#perSecond = perSecond
  }

  /** Whether a line may be written. */
  take(): boolean {
    if (this.#perSecond === Number.POSITIVE_INFINITY) return true
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#secondBeganMs >= 1000) {
      this.#secondBeganMs = nowMs
      this.#taken = 0
    }
    if (this.#taken < this.#perSecond) {
      this.#taken += 1
      return true
    }
    this.#leftOut += 1
    return false
  }

  /** Returns how many lines were left out since it was asked last. */
  leftOut(): number {
    const count = this.#leftOut
    this.#leftOut = 0
    return count
  }
}
