import { z } from 'zod'

/** Options of the notifier. */
export const notifierOptions = z.strictObject({
  /**
   * Which calls get a line in the log, at level info: none (`off`), all (`on`), or as many a second as `linesPerSecond`
   * (`sampled`). Default `sampled`: quiet gateways log every call, and the cost of busy ones is bounded.
   */
  accessLog: z.enum(['off', 'sampled', 'on']).default('sampled'),
  /**
   * With `sampled`: most lines a second for calls that ended well, and as many again for failed and aborted ones. The next
   * line says how many calls were left out. Default 10.
   */
  linesPerSecond: z.int().min(1).default(10),
})

/** Decoded {@link notifierOptions}. */
export type NotifierOptions = z.infer<typeof notifierOptions>
