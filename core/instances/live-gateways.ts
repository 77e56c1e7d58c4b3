import type { Clock } from '../time/clock.ts'

/** More gateways than a fleet has: what is beyond is none. */
const maxGateways = 1_000

/** The other gateways of the fleet that have lately shown that they are there. */
export class LiveGateways {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A gateway is there, for `ttlMs` at least. */
  seen(origin: string, ttlMs: number): void {
    if (this.#untilMs.size >= maxGateways && !this.#untilMs.has(origin)) return
    this.#untilMs.set(origin, this.#clock.monotonicMs() + ttlMs)
  }

  gone(origin: string): void {
    this.#untilMs.delete(origin)
  }

  /** Those that are there now. */
  now(): readonly string[] {
    const nowMs = this.#clock.monotonicMs()
    for (const [origin, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(origin)
    return [...this.#untilMs.keys()]
  }
}
