import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import {
  AggregationTemporality,
  InstrumentType,
  type CollectionResult,
  type MetricData,
} from '@opentelemetry/sdk-metrics'
import { maxSeriesPerFamily } from './series/keyed-series.ts'

/**
 * The Prometheus exporter as far as it reads the SDK's instruments on demand; pages are written elsewhere, in slices. Observable
 * gauges show only what their callbacks observed for this very read: read cumulatively, the SDK repeats series that are long gone.
 * Everything else is read since the start, as Prometheus wants it.
 */
export class ScrapeReader extends PrometheusExporter {
  constructor() {
    super({ preventServerStart: true })
  }

  override selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return instrument === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE
  }

  override selectCardinalityLimit(): number {
    return maxSeriesPerFamily
  }
}

/** All metrics of a read. */
export function metricsIn({ resourceMetrics }: CollectionResult): readonly MetricData[] {
  return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics)
}
