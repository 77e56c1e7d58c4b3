import { backoffDelayMs, type Clock, type Random } from '#core'

/** How long an instance is left alone: doubled with each time in a row. */
const ejectionBackoff = { firstMs: 1000, maxMs: 30_000, factor: 2, jitterRatio: 0.2 }
/** Failures in a row, of those that may have another cause, before an instance is ejected. */
const mostFailures = 3

/**
 * Whether an instance gets calls.
 * - in placement -> ejected: it refused a connection or a call, or failed three times in a row
 * - ejected -> on probation: its pause is over; one call at a time tries it
 * - on probation -> in placement: that call was answered
 * - on probation -> ejected: it was not; the pause is doubled
 *
 * What began before the last ejection proves nothing about the time after it: each call carries the generation in which it began.
 */
export class Health {
  readonly #clock: Clock
  readonly #random: Random
  #failuresInRow = 0
  #ejectionsInRow = 0
  /** Until when it is ejected, monotonic; 0 in placement. */
  #untilMs = 0
  #isOnTrial = false
  #generation = 0

  constructor(deps: { clock: Clock; random: Random }) {
    this.#clock = deps.clock
    this.#random = deps.random
  }

  /** Whether it may get a call now. */
  get admits(): boolean {
    return this.#untilMs === 0 || (!this.#isOnTrial && this.#clock.monotonicMs() >= this.#untilMs)
  }

  /** Whether it is out of placement, on probation included. */
  get isEjected(): boolean {
    return this.#untilMs > 0
  }

  /** Milliseconds until it is tried again; 0 when it is not ejected, or could be tried now. */
  get pauseMs(): number {
    return this.#untilMs === 0 ? 0 : Math.max(0, this.#untilMs - this.#clock.monotonicMs())
  }

  /** How often it was ejected. */
  get generation(): number {
    return this.#generation
  }

  /** A call goes there. @returns the generation in which it begins, which its end needs */
  begin(): number {
    if (this.#untilMs > 0) this.#isOnTrial = true
    return this.#generation
  }

  /**
   * A call ended without proof of anything: its client left, say.
   * @returns whether the next one is admitted that was not before
   */
  end(generation: number): boolean {
    if (generation !== this.#generation || !this.#isOnTrial) return false
    this.#isOnTrial = false
    return this.admits
  }

  /**
   * A call was answered.
   * @returns whether it is back in placement by this
   */
  succeeded(generation: number): boolean {
    if (generation !== this.#generation) return false
    this.#failuresInRow = 0
    if (this.#untilMs === 0) return false
    this.reset()
    return true
  }

  /** It is given a fresh start. */
  reset(): void {
    this.#failuresInRow = 0
    this.#ejectionsInRow = 0
    this.#untilMs = 0
    this.#isOnTrial = false
  }

  /**
   * A call was cut or ran out of time.
   * @param isSpared whether too many are ejected already: it stays, unless it is on probation
   * @returns whether it was ejected
   */
  failed(generation: number, isSpared: boolean): boolean {
    if (generation !== this.#generation) return false
    this.#failuresInRow += 1
    if (this.#isOnTrial) return this.eject(generation)
    if (this.#untilMs > 0 || isSpared || this.#failuresInRow < mostFailures) return false
    return this.eject(generation)
  }

  /**
   * It certainly takes no calls. Of the many that may find out together, the first one counts.
   * @returns whether it was ejected by this
   */
  eject(generation: number): boolean {
    if (generation !== this.#generation || (this.#untilMs > 0 && !this.#isOnTrial)) return false
    this.#generation += 1
    this.#isOnTrial = false
    this.#failuresInRow = 0
    this.#ejectionsInRow += 1
    this.#untilMs = this.#clock.monotonicMs() + backoffDelayMs(ejectionBackoff, this.#ejectionsInRow, this.#random)
    return true
  }
}
