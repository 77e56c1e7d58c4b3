import type {
  Attributes,
  BatchObservableCallback,
  Counter,
  Gauge,
  Histogram,
  MetricOptions,
  Observable,
  ObservableCounter,
  ObservableGauge,
  ObservableUpDownCounter,
  UpDownCounter,
} from '@opentelemetry/api'
import type { Meter } from './meter.ts'
import type { MetricSource } from './metric-source.ts'
import { counterName } from './observed-series.ts'
import { KeyedSeries } from './series/keyed-series.ts'
import { labelsOf, legalName } from './series/labels.ts'
import type { SeriesFamily } from './series/series-family.ts'
import type { SeriesTable } from './series/series-table.ts'

/** The buckets of the OpenTelemetry specification, for histograms that name none. */
const defaultBoundaries = [0, 5, 10, 25, 50, 75, 100, 250, 500, 750, 1000, 2500, 5000, 7500, 10000]
/** What the specification wants of series beyond the limit. */
const overflowLabels = 'otel_metric_overflow="true"'

/**
 * A meter whose counters and histograms keep their series in tables, because the SDK reads all series of all instruments in one
 * go, which stalls the event loop once there are thousands. Everything else is left to the SDK's own meter.
 */
export class CountingMeter implements Meter, MetricSource {
  readonly #inner: Meter
  readonly #families = new Map<string, KeyedSeries>()

  constructor(inner: Meter) {
    this.#inner = inner
  }

  read(): readonly SeriesTable[] {
    return Array.from(this.#families.values(), ({ table }) => table)
  }

  createCounter<A extends Attributes = Attributes>(name: string, { description = '' }: MetricOptions = {}): Counter<A> {
    const help = description
    const series = this.#family({ name: counterName(name), help, type: 'counter', boundaries: [], combine: 'add' })
    return {
      add: (value, attributes) => {
        if (value >= 0) series.table.count(placeOf(series, attributes), value)
      },
    }
  }

  createHistogram<A extends Attributes = Attributes>(
    name: string,
    { description: help = '', advice }: MetricOptions = {},
  ): Histogram<A> {
    const boundaries = advice?.explicitBucketBoundaries ?? defaultBoundaries
    const series = this.#family({ name: legalName(name), help, type: 'histogram', boundaries, combine: 'add' })
    return {
      record: (value, attributes) => {
        if (value >= 0) series.table.observe(placeOf(series, attributes), value)
      },
    }
  }

  createGauge<A extends Attributes = Attributes>(name: string, options?: MetricOptions): Gauge<A> {
    return this.#inner.createGauge<A>(name, options)
  }

  createUpDownCounter<A extends Attributes = Attributes>(name: string, options?: MetricOptions): UpDownCounter<A> {
    return this.#inner.createUpDownCounter<A>(name, options)
  }

  createObservableGauge<A extends Attributes = Attributes>(name: string, options?: MetricOptions): ObservableGauge<A> {
    return this.#inner.createObservableGauge<A>(name, options)
  }

  createObservableCounter<A extends Attributes = Attributes>(
    name: string,
    options?: MetricOptions,
  ): ObservableCounter<A> {
    return this.#inner.createObservableCounter<A>(name, options)
  }

  createObservableUpDownCounter<A extends Attributes = Attributes>(
    name: string,
    options?: MetricOptions,
  ): ObservableUpDownCounter<A> {
    return this.#inner.createObservableUpDownCounter<A>(name, options)
  }

  addBatchObservableCallback<A extends Attributes = Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.#inner.addBatchObservableCallback<A>(callback, observables)
  }

  removeBatchObservableCallback<A extends Attributes = Attributes>(
    callback: BatchObservableCallback<A>,
    observables: Observable<A>[],
  ): void {
    this.#inner.removeBatchObservableCallback<A>(callback, observables)
  }

  /** Instruments that are made again share their series. */
  #family(family: SeriesFamily): KeyedSeries {
    const key = `${family.type} ${family.name} ${family.boundaries.join()}`
    const known = this.#families.get(key) ?? new KeyedSeries(family)
    this.#families.set(key, known)
    return known
  }
}

function placeOf(series: KeyedSeries, attributes: Attributes = {}): number {
  // Attributes in any order are one series.
  const labels = labelsOf(attributes, Object.keys(attributes).toSorted())
  const known = series.find(labels)
  if (known !== undefined) return known
  if (!series.isFull) return series.add(labels)
  return series.find(overflowLabels) ?? series.add(overflowLabels)
}
