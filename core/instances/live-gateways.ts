import type { Clock } from '../time/clock.ts'

/** More gateways than a fleet has: what is beyond is none. */
const maxGateways = 1_000

/** The other gateways of the fleet that have lately shown that they are there. */
export class LiveGateways {
  readonly #clock: Clock
  readonly #untilMs = new Map<string, number>()
  #isStoreAway = false

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** A gateway is there, for `ttlMs` at least. @returns whether it was not before */
  seen(origin: string, ttlMs: number): boolean {
    const nowMs = this.#clock.monotonicMs()
    const knownMs = this.#untilMs.get(origin)
    const isKnown = knownMs !== undefined && (this.#isStoreAway || knownMs > nowMs)
    if (this.#untilMs.size >= maxGateways && knownMs === undefined) return false
    this.#untilMs.set(origin, nowMs + ttlMs)
    return !isKnown
  }

  gone(origin: string): void {
    this.#untilMs.delete(origin)
  }

  /** While the store is away nobody can show that they are there: who was there still counts. */
  storeAway(): void {
    this.now() // forgets those that were gone before
    this.#isStoreAway = true
  }

  /** @param graceMs for how long those count at least, so that they find the time to show themselves */
  storeBack(graceMs: number): void {
    if (!this.#isStoreAway) return
    const untilMs = this.#clock.monotonicMs() + graceMs
    for (const [origin, knownMs] of this.#untilMs) this.#untilMs.set(origin, Math.max(knownMs, untilMs))
    this.#isStoreAway = false
  }

  /** Those that are there now; while the store is away: that were when it could be used last. */
  now(): readonly string[] {
    if (this.#isStoreAway) return [...this.#untilMs.keys()]
    const nowMs = this.#clock.monotonicMs()
    for (const [origin, untilMs] of this.#untilMs) if (untilMs <= nowMs) this.#untilMs.delete(origin)
    return [...this.#untilMs.keys()]
  }
}
