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
 */
export class Health {
  readonly #clock: Clock
  readonly #random: Random
  #failuresInRow = 0
  #ejectionsInRow = 0
  /** Until when it is ejected, monotonic; 0 in placement. */
  #untilMs = 0
  #isOnTrial = false

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

  /** A call goes there. */
  begin(): void {
    if (this.#untilMs > 0) this.#isOnTrial = true
  }

  /** The call ended without proof of anything: its client left, say. */
  end(): void {
    this.#isOnTrial = false
  }

  /** It has answered. */
  succeeded(): void {
    this.#failuresInRow = 0
    if (this.#untilMs > 0) this.reset()
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
   * @param isLast whether no other instance could take its calls: it is not ejected then
   * @returns whether it was ejected
   */
  failed(isLast: boolean): boolean {
    this.#failuresInRow += 1
    if (this.#isOnTrial) return this.eject()
    if (this.#untilMs > 0 || isLast || this.#failuresInRow < mostFailures) return false
    return this.eject()
  }

  /**
   * It certainly takes no calls. Of the many that may find out together, the first one counts.
   * @returns whether it was ejected by this
   */
  eject(): boolean {
    if (this.#untilMs > 0 && !this.#isOnTrial) return false
    this.#isOnTrial = false
    this.#failuresInRow = 0
    this.#ejectionsInRow += 1
    this.#untilMs = this.#clock.monotonicMs() + backoffDelayMs(ejectionBackoff, this.#ejectionsInRow, this.#random)
    return true
  }
}
