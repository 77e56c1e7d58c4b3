import { MeterProvider } from '@opentelemetry/sdk-metrics'
import type { Clock } from '../time/clock.ts'
import { CountingMeter } from './counting-meter.ts'
import type { Logger } from './logger.ts'
import type { Meter } from './meter.ts'
import type { MetricSource } from './metric-source.ts'
import { observedSeries } from './observed-series.ts'
import { prometheusText } from './prometheus-text.ts'
import { metricsIn, ScrapeReader } from './scrape-reader.ts'
import type { SeriesTable } from './series/series-table.ts'

const observeTimeoutMs = 2_000
const reportEveryMs = 60_000

/**
 * Everything this process measures: the instruments made from `meter`, and the sources that keep series of their own. Makes the
 * page that Prometheus scrapes.
 *
 * Concurrency: callers that ask for a page while one is being made share it.
 */
export class Metrics implements AsyncDisposable {
  readonly #log: Logger
  readonly #clock: Clock
  readonly #reader = new ScrapeReader()
  readonly #provider = new MeterProvider({ readers: [this.#reader] })
  readonly #meter = new CountingMeter(this.#provider.getMeter('pilotlight'))
  readonly #sources: MetricSource[] = []
  #pageInTheMaking: Promise<Iterable<Uint8Array>> | undefined
  #nextReportMs = Number.NEGATIVE_INFINITY

  constructor(deps: { log: Logger; clock: Clock }) {
    this.#log = deps.log
    this.#clock = deps.clock
  }

  /** Where instruments are made. */
  get meter(): Meter {
    return this.#meter
  }

  /** Adds series that are kept outside the instruments. Pages show them first, in the order they were added. */
  include(source: MetricSource): void {
    this.#sources.push(source)
  }

  /** Reads all series, as {@link read}, for a page in the Prometheus text format; see {@link prometheusText}. */
  page(): Promise<Iterable<Uint8Array>> {
    this.#pageInTheMaking ??= this.read()
      .then(prometheusText)
      .finally(() => {
        this.#pageInTheMaking = undefined
      })
    return this.#pageInTheMaking
  }

  /**
   * Returns all series as they stand. An instrument's callback or a source that fails, or observes for longer than 2 s, costs its
   * own series.
   */
  async read(): Promise<readonly SeriesTable[]> {
    const result = await this.#reader.collect({ timeoutMillis: observeTimeoutMs })
    const errors: unknown[] = [...result.errors]
    const ofSources = this.#sources.flatMap((source) => readSource(source, errors))
    if (errors.length > 0) this.#report(errors)
    return [...ofSources, ...this.#meter.read(), ...observedSeries(metricsIn(result))]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#provider.shutdown()
  }

  #report(errors: readonly unknown[]): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < this.#nextReportMs) return
    this.#nextReportMs = nowMs + reportEveryMs
    this.#log.warn('some metrics could not be read', { failures: errors.length, error: errors[0] })
  }
}

function readSource(source: MetricSource, errors: unknown[]): readonly SeriesTable[] {
  try {
    return source.read()
  } catch (error) {
    errors.push(error)
    return []
  }
}
