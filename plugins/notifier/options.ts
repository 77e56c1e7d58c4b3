import { z } from 'zod'

/** Options of the notifier. */
export const notifierOptions = z.strictObject({
  /**
   * Which calls get a line in the log, at level info: none (`off`), all (`on`), or every failed one and a share of the others
   * (`sampled`). Default `sampled`: a line per call costs about as much as a fifth of the call.
   */
  accessLog: z.enum(['off', 'sampled', 'on']).default('sampled'),
  /** With `sampled`: share of the calls that ended well which is logged, 0 to 1. Default 0.01. */
  sampleRatio: z.number().min(0).max(1).default(0.01),
})

/** Decoded {@link notifierOptions}. */
export type NotifierOptions = z.infer<typeof notifierOptions>
