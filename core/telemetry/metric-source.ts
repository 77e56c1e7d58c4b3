import type { MetricData } from '@opentelemetry/sdk-metrics'

/**
 * Series that are kept outside the SDK's instruments, because those are too slow for the request path (they hash the
 * attributes of every recording) or keep a series for ever once it was seen.
 */
export interface MetricSource {
  /** The metrics as they stand. A point may go on counting while a page is written, but is itself read at one moment. */
  read(): readonly MetricData[]
}
