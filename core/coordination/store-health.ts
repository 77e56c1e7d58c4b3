import { GatewayError } from '../errors/gateway-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import { backoffDelayMs } from '../time/backoff.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import type { CoordinationMetrics } from './coordination-metrics.ts'
import type { CoordinationStore } from './coordination-store.ts'

/** What watching the store works with. */
export interface StoreHealthDeps {
  readonly store: CoordinationStore
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: CoordinationMetrics
  /** Makes up for what was missed while the store was away. */
  readonly recover: () => Promise<void>
  /** Told when this gateway begins to decide alone, and when it no longer does. */
  readonly onChange: () => void
}

/** Pause between two proofs that the store works, while nobody complains. */
const heartbeatMs = 1_000
/** The part of the store that heartbeats try. */
const heartbeatKey = 'heartbeat'
const retryBackoff = { firstMs: 50, maxMs: 1_000, factor: 2, jitterRatio: 0.5 }

/**
 * Knows whether the store can be used. A call that fails makes the gateway decide alone at once, until the store has proved
 * that it takes writes and delivers messages, and what was missed is made up for. Begins alone.
 */
export class StoreHealth implements AsyncDisposable {
  readonly #deps: StoreHealthDeps
  readonly #stop = new AbortController()
  readonly #joined = Promise.withResolvers<void>()
  #isAlone = true
  /** Whether the log says that this gateway is alone. */
  #isReported = false
  /** Whether the store has had the time that a start gives it. */
  #isStarted = false
  /** The function whose part of the store has failed last. */
  #suspect = heartbeatKey
  /** Why the store could not be used when it was tried last. */
  #failure: unknown
  #aloneSinceMs: number
  #complaint = new AbortController()
  #running: Promise<void> | undefined

  constructor(deps: StoreHealthDeps) {
    this.#deps = deps
    this.#aloneSinceMs = deps.clock.monotonicMs()
    deps.metrics.degraded(true)
  }

  /** Whether this gateway decides alone now. */
  get isAlone(): boolean {
    return this.#isAlone
  }

  /**
   * Begins to watch; resolves when the store can be used, or after `patienceMs`.
   * @param connected resolves when trying makes sense
   */
  async start(patienceMs: number, connected: Promise<void>): Promise<void> {
    const limit = new AbortController()
    const waited = this.#deps.clock
      .sleep(patienceMs, AbortSignal.any([limit.signal, this.#stop.signal]))
      .catch(() => {})
    this.#running ??= Promise.race([connected, waited]).then(() => this.#watch())
    await Promise.race([this.#joined.promise, waited])
    limit.abort()
    this.#isStarted = true
    if (this.#isAlone) this.#report(this.#failure)
  }

  /** Makes a call on a function's part of the store, or, when that fails or is known to be in vain, decides alone. */
  async attempt<T>(key: string, shared: () => Promise<T>, alone: () => T | Promise<T>): Promise<T> {
    if (this.#isAlone) return alone()
    try {
      return await shared()
    } catch (error) {
      this.complain(error, key)
      return alone()
    }
  }

  /**
   * Takes note that the store cannot be used.
   * @throws what is no failure of the store
   */
  complain(error: unknown, key = heartbeatKey): void {
    if (!(error instanceof GatewayError) || error.code !== 'lease_store_unavailable') throw error
    if (this.#isAlone) return
    this.#suspect = key
    this.#goAlone(error)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  /** Never rejects. */
  async #watch(): Promise<void> {
    for (let failures = 0; !this.#stop.signal.aborted;) {
      failures = (await this.#try()) ? 0 : failures + 1
      await this.#pause(failures)
    }
  }

  /** @returns whether the store can be used */
  async #try(): Promise<boolean> {
    const { store, recover } = this.#deps
    try {
      await store.probe(this.#isAlone ? this.#suspect : heartbeatKey)
      if (this.#isAlone) {
        await recover()
        this.#join()
      }
      return true
    } catch (error) {
      this.#failure = error
      if (!this.#isAlone) this.#goAlone(error)
      return false
    }
  }

  async #pause(failures: number): Promise<void> {
    const { clock, random } = this.#deps
    const pauseMs = failures === 0 ? heartbeatMs : backoffDelayMs(retryBackoff, failures, random)
    // Only who is not alone yet can be told of a failure.
    if (!this.#isAlone && this.#complaint.signal.aborted) this.#complaint = new AbortController()
    const signals = this.#isAlone && failures > 0 ? [this.#stop.signal] : [this.#stop.signal, this.#complaint.signal]
    await clock.sleep(pauseMs, AbortSignal.any(signals)).catch(() => {})
  }

  #goAlone(error: unknown): void {
    const { clock, metrics, onChange } = this.#deps
    this.#isAlone = true
    this.#aloneSinceMs = clock.monotonicMs()
    metrics.degraded(true)
    this.#report(error)
    this.#complaint.abort()
    onChange()
  }

  #join(): void {
    const { clock, log, metrics, onChange } = this.#deps
    this.#isAlone = false
    this.#suspect = heartbeatKey
    metrics.degraded(false)
    const seconds = (clock.monotonicMs() - this.#aloneSinceMs) / 1000
    if (this.#isReported) log.info('Redis can be used again: gateways decide together', { aloneSeconds: seconds })
    else log.info('gateways decide together by Redis')
    this.#isReported = false
    this.#joined.resolve()
    onChange()
  }

  /** Once until the store is back. */
  #report(error: unknown): void {
    if (this.#isReported || !this.#isStarted) return
    this.#isReported = true
    this.#deps.log.warn('Redis cannot be used: this gateway decides alone until it can', { err: error })
  }
}
