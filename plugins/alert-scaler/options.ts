import { z } from 'zod'

/** Options of scaling by alerts. */
export const alertScalerOptions = z.strictObject({
  /** Functions scaled at the same time; alerts of one function follow each other. Default 8. */
  maxParallel: z.number().int().min(1).max(64).default(8),
  /** Largest notification. Bytes, default 1 MiB; larger ones are answered 400. */
  maxBodyBytes: z
    .number()
    .int()
    .positive()
    .default(1024 * 1024),
})

/** Decoded {@link alertScalerOptions}. */
export type AlertScalerOptions = z.infer<typeof alertScalerOptions>
