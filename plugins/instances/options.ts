import { z } from 'zod'

/** Options of sending calls straight to instances. */
export const instancesOptions = z.strictObject({
  /** Largest report of a sidecar. Bytes, default 16 KiB; larger ones are answered 413. */
  maxReportBytes: z
    .int()
    .positive()
    .default(16 * 1024),
  /** Most calls that wait for a free slot of one function; further ones are refused at once with 503. Default 2,000. */
  maxHeldPerFunction: z.int().min(1).default(2000),
  /** Most calls that wait for slots of all functions together. Default 10,000. */
  maxHeldTotal: z.int().min(1).default(10_000),
  /** Most memory that calls waiting for slots may take together, in bytes, estimated from their heads and bodies. Default 256 MiB. */
  maxHeldBytes: z
    .int()
    .min(1024)
    .default(256 * 1024 * 1024),
})

/** Decoded {@link instancesOptions}. */
export type InstancesOptions = z.output<typeof instancesOptions>
