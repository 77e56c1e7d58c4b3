import { z } from 'zod'

/** Options of add-metrics. */
export const addMetricsOptions = z.strictObject({
  /** How long a listing waits for Prometheus before it goes on with the gateway's own counts. Milliseconds, default 2,000. */
  prometheusTimeoutMs: z.number().int().positive().max(60_000).default(2_000),
  /**
   * Pause after a failed query, during which listings do not ask Prometheus; doubled with each further failure, up to a minute.
   * Milliseconds, default 5,000; 0 asks for every listing.
   */
  prometheusPauseMs: z.number().int().nonnegative().default(5_000),
})

/** Decoded {@link addMetricsOptions}. */
export type AddMetricsOptions = z.infer<typeof addMetricsOptions>
