import { z } from 'zod'

/** Options of announcing readiness. */
export const readinessPushOptions = z.strictObject({
  /** Largest announcement. Bytes, default 4 KiB; larger ones are answered 413. */
  maxBodyBytes: z
    .int()
    .positive()
    .default(4 * 1024),
  /** Most names, unknown so far, that the provider is asked about at a time; others are answered 503. Default 16. */
  maxChecks: z.int().min(1).default(16),
})

/** Decoded {@link readinessPushOptions}. */
export type ReadinessPushOptions = z.output<typeof readinessPushOptions>
