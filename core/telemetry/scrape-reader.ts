import { AggregationTemporality, InstrumentType, MetricReader } from '@opentelemetry/sdk-metrics'

const maxSeriesPerInstrument = 20_000

/**
 * Reads the SDK's instruments on demand. Sums and histograms are cumulative, as Prometheus wants them. Observable gauges show
 * only what their callbacks observed for this very read: read cumulatively, the SDK repeats series that are long gone.
 */
export class ScrapeReader extends MetricReader {
  constructor() {
    super({
      aggregationTemporalitySelector: (instrument) =>
        instrument === InstrumentType.OBSERVABLE_GAUGE
          ? AggregationTemporality.DELTA
          : AggregationTemporality.CUMULATIVE,
      cardinalitySelector: () => maxSeriesPerInstrument,
    })
  }

  protected override async onShutdown(): Promise<void> {}

  protected override async onForceFlush(): Promise<void> {}
}
