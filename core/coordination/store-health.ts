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
/** Readings of all records, and lines in the log, that a store which works now and then may cause in a minute. */
const maxJoinsPerMinute = 20
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
  /** Why this gateway is alone, as the log says; undefined when it does not. */
  #reported: string | undefined
  /** Whether the store has had the time that a start gives it. */
  #isStarted = false
  /** The function whose part of the store has failed last. */
  #suspect = heartbeatKey
  /** Why the store could not be used when it was tried last. */
  #failure: unknown
  #aloneSinceMs: number
  /** Instants of the joins of the last minute. */
  #joins: readonly number[] = []
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
    const over = new AbortController()
    const signal = AbortSignal.any([over.signal, this.#stop.signal])
    const passed = (ms: number): Promise<void> => this.#deps.clock.sleep(ms, signal).catch(() => {})
    // Half of the time is left for finding out what is wrong.
    this.#running ??= Promise.race([connected, passed(patienceMs / 2)]).then(() => this.#watch())
    await Promise.race([this.#joined.promise, passed(patienceMs)])
    over.abort()
    this.#isStarted = true
    if (this.#isAlone) this.#report(this.#failure)
  }

  /**
   * Makes a call on a function's part of the store, or, when that fails or is known to be in vain, decides alone.
   * @param key undefined for a call that concerns no single function
   */
  async attempt<T>(key: string | undefined, shared: () => Promise<T>, alone: () => T | Promise<T>): Promise<T> {
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
  complain(error: unknown, key: string = heartbeatKey): void {
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
      if (await this.#try()) {
        failures = 0
        await this.#pause(heartbeatMs, this.#complaint.signal)
      } else failures += 1
      if (this.#isAlone) await this.#pause(this.#retryPauseMs(failures))
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
      if (this.#isAlone) this.#report(error)
      else this.#goAlone(error)
      return false
    }
  }

  #retryPauseMs(failures: number): number {
    const { clock, random } = this.#deps
    const nowMs = clock.monotonicMs()
    this.#joins = this.#joins.filter((atMs) => atMs > nowMs - 60_000)
    const [first = nowMs] = this.#joins
    const untilNextJoinMs = this.#joins.length < maxJoinsPerMinute ? 0 : first + 60_000 - nowMs
    return Math.max(untilNextJoinMs, failures === 0 ? 0 : backoffDelayMs(retryBackoff, failures, random))
  }

  async #pause(ms: number, sooner?: AbortSignal): Promise<void> {
    const signals = sooner === undefined ? [this.#stop.signal] : [this.#stop.signal, sooner]
    await this.#deps.clock.sleep(ms, AbortSignal.any(signals)).catch(() => {})
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
    const { clock, log, metrics, onChange, store } = this.#deps
    this.#isAlone = false
    this.#complaint = new AbortController()
    this.#suspect = heartbeatKey
    this.#joins = [...this.#joins, clock.monotonicMs()]
    metrics.degraded(false)
    const seconds = (clock.monotonicMs() - this.#aloneSinceMs) / 1000
    if (this.#reported !== undefined)
      log.info(`${store.name} can be used again: gateways decide together`, { aloneSeconds: seconds })
    else log.info(`gateways decide together by ${store.name}`)
    this.#reported = undefined
    this.#joined.resolve()
    onChange()
  }

  /** Once for each kind of failure until the store is back. */
  #report(error: unknown): void {
    const kind = error instanceof GatewayError ? String(error.details['failure'] ?? error.code) : 'unknown'
    if (kind === this.#reported || !this.#isStarted || this.#stop.signal.aborted) return
    this.#reported = kind
    const { log, store } = this.#deps
    log.warn(`${store.name} cannot be used: this gateway decides alone until it can`, { err: error })
  }
}
