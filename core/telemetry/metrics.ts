import { MeterProvider, type MetricData } from '@opentelemetry/sdk-metrics'
import type { Clock } from '../time/clock.ts'
import type { Logger } from './logger.ts'
import type { Meter } from './meter.ts'
import type { MetricSource } from './metric-source.ts'
import { PrometheusText } from './prometheus-text.ts'
import { ScrapeReader } from './scrape-reader.ts'

const observeTimeoutMs = 2_000
const reportEveryMs = 60_000

/**
 * Everything this process measures: the instruments made from `meter`, and the sources that keep series of their own. Makes the
 * page that Prometheus scrapes.
 *
 * Concurrency: callers that ask for a page while one is being made share it.
 */
export class Metrics implements AsyncDisposable {
  readonly meter: Meter
  readonly #log: Logger
  readonly #clock: Clock
  readonly #reader = new ScrapeReader()
  readonly #provider = new MeterProvider({ readers: [this.#reader] })
  readonly #sources: MetricSource[] = []
  readonly #writer = new PrometheusText({ bareCounters: ['gateway_function_invocation_started'] })
  #pageInTheMaking: Promise<readonly Uint8Array[]> | undefined
  #nextReportMs = Number.NEGATIVE_INFINITY

  constructor(deps: { log: Logger; clock: Clock }) {
    this.#log = deps.log
    this.#clock = deps.clock
    this.meter = this.#provider.getMeter('pilotlight')
  }

  /** Adds series that are kept outside the instruments. Pages show them first, in the order they were added. */
  include(source: MetricSource): void {
    this.#sources.push(source)
  }

  /**
   * Makes a page in the Prometheus text format; its slices in their order are its bytes. An instrument's callback or a source
   * that fails, or observes for longer than 2 s, costs its own series.
   */
  page(): Promise<readonly Uint8Array[]> {
    this.#pageInTheMaking ??= this.#makePage().finally(() => {
      this.#pageInTheMaking = undefined
    })
    return this.#pageInTheMaking
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown()
  }

  async #makePage(): Promise<readonly Uint8Array[]> {
    const result = await this.#reader.collect({ timeoutMillis: observeTimeoutMs })
    const errors: unknown[] = [...result.errors]
    const ofSources = this.#sources.flatMap((source) => this.#read(source, errors))
    if (errors.length > 0) this.#report(errors)
    return [...(await this.#writer.write(ofSources)), Buffer.from(this.#reader.write(result))]
  }

  #read(source: MetricSource, errors: unknown[]): readonly MetricData[] {
    try {
      return source.read()
    } catch (error) {
      errors.push(error)
      return []
    }
  }

  #report(errors: readonly unknown[]): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#nextReportMs) return
    this.#nextReportMs = nowMs + reportEveryMs
    this.#log.warn('some metrics could not be read', { failures: errors.length, error: errors[0] })
  }
}
