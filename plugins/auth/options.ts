import { z } from 'zod'

/** Options of basic auth; whether it is on, and where its files are, is said by `basicAuth` and `secretMountPath`. */
export const authOptions = z.strictObject({
  /** How often the files are looked at for a change. Milliseconds, default 1,000; 0 reads them at start only. */
  reloadIntervalMs: z.number().int().nonnegative().default(1_000),
})
