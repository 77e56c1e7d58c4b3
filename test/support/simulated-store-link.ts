import type { Clock } from '../../core/time/clock.ts'

/** One direction of a connection: what is sent arrives in order, each piece after a delay of its own at the earliest. */
export class Link {
  readonly #arrivalClock: Pick<Clock, 'after'>
  readonly #delayMs: () => number
  #underWay: (() => void)[] = []
  #isCut = false

  /** @param arrivalClock of the side where it arrives: a paused gateway receives nothing */
  constructor(arrivalClock: Pick<Clock, 'after'>, delayMs: () => number) {
    this.#arrivalClock = arrivalClock
    this.#delayMs = delayMs
  }

  /** Sends a piece; `arrive` is called in time. Without a delay and behind nothing else that is now. */
  send(arrive: () => void): void {
    if (this.#isCut) return
    const delayMs = this.#delayMs()
    if (delayMs === 0 && this.#underWay.length === 0) {
      arrive()
      return
    }
    this.#underWay.push(arrive)
    this.#arrivalClock.after(delayMs, () => this.#underWay.shift()?.())
  }

  /** Loses all that is under way, and all that is still sent. */
  cut(): void {
    this.#isCut = true
    this.#underWay = []
  }
}
