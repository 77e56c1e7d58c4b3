import { PrometheusExporter, PrometheusSerializer } from '@opentelemetry/exporter-prometheus'
import { AggregationTemporality, InstrumentType, type CollectionResult } from '@opentelemetry/sdk-metrics'

const maxSeriesPerInstrument = 20_000

/**
 * Reads the SDK's instruments on demand, and writes them as the Prometheus exporter does. Sums and histograms are cumulative, as
 * Prometheus wants them. Observable gauges show only what their callbacks observed for this very read: read cumulatively, the
 * SDK repeats series that are long gone.
 */
export class ScrapeReader extends PrometheusExporter {
  readonly #serializer = new PrometheusSerializer('', false, undefined, true, true)

  constructor() {
    super({ preventServerStart: true })
  }

  override selectAggregationTemporality(instrument: InstrumentType): AggregationTemporality {
    return instrument === InstrumentType.OBSERVABLE_GAUGE
      ? AggregationTemporality.DELTA
      : AggregationTemporality.CUMULATIVE
  }

  override selectCardinalityLimit(): number {
    return maxSeriesPerInstrument
  }

  /** Writes what was read in the text format; empty when there is nothing. */
  write({ resourceMetrics }: CollectionResult): string {
    if (resourceMetrics.scopeMetrics.length === 0) return ''
    const text = this.#serializer.serialize(resourceMetrics)
    return text.startsWith('#') && !text.startsWith('# no registered metrics') ? text : ''
  }
}
