import { z } from 'zod'

/** Options of the system API. */
export const systemApiOptions = z.strictObject({
  /** Largest body of a deployment, an update or a removal. Bytes, default 1 MiB; larger ones are answered 413. */
  maxDeploymentBytes: z
    .number()
    .int()
    .positive()
    .default(1024 * 1024),
})

/** Decoded {@link systemApiOptions}. */
export type SystemApiOptions = z.infer<typeof systemApiOptions>
