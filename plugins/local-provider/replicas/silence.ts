import type { Clock } from '#core'

/** Until a gateway says for how long a report holds. */
const firstLeaseMs = 10_000
/** A sidecar that says nothing for so many leases, and for so long, will not say anything any more. */
const lostAfterLeases = 3
const lostAfterMs = 30_000

/** What a {@link Silence} leads to. */
export interface SilenceListener {
  /** What was reported last does not hold any more, or holds again. */
  readonly onChange: () => void
  /** Nothing has come for so long that nothing will. */
  readonly onLost: (silentMs: number) => void
}

/** Measures for how long a sidecar has not reported, from its start on. */
export class Silence implements Disposable {
  readonly #clock: Clock
  readonly #listener: SilenceListener
  #leaseMs = firstLeaseMs
  #timer: Disposable | undefined
  #isTooLong = false

  constructor(clock: Clock, listener: SilenceListener) {
    this.#clock = clock
    this.#listener = listener
  }

  /** Whether the last report is older than it holds. */
  get isTooLong(): boolean {
    return this.#isTooLong
  }

  /** A report has come, or the first one is waited for from now on. */
  broken(): void {
    this.#timer?.[Symbol.dispose]()
    const wasTooLong = this.#isTooLong
    this.#isTooLong = false
    this.#timer = this.#clock.after(this.#leaseMs, () => this.#silent())
    if (wasTooLong) this.#listener.onChange()
  }

  /** The last report, and those that follow it, hold for so long from now on. */
  allow(leaseMs: number): void {
    this.#leaseMs = leaseMs
    this.broken()
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]()
  }

  #silent(): void {
    this.#isTooLong = true
    const lostMs = Math.max(lostAfterLeases * this.#leaseMs, lostAfterMs)
    this.#timer = this.#clock.after(lostMs - this.#leaseMs, () => this.#listener.onLost(lostMs))
    this.#listener.onChange()
  }
}
