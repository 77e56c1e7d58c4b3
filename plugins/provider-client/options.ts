import { durationOption } from '#core'
import { z } from 'zod'

const limit = durationOption.refine((milliseconds) => milliseconds > 0, 'must be longer than 0')

/** Options of the provider client. Durations are Go text (`500ms`, `1m30s`) or seconds. */
export const providerClientOptions = z.strictObject({
  /** Longest time for one status of one function, repeats included. Default 5s. */
  statusTimeout: limit.prefault('5s'),
  /** Longest time for one scale call, which is never repeated here. Default 10s. */
  scaleTimeout: limit.prefault('10s'),
  /** Longest time for a list of functions or namespaces, repeats included. Default 5s. */
  listTimeout: limit.prefault('5s'),
  /** Longest wait for the head of an answer that is passed on to a client; 0 is no limit. Default: `upstreamTimeout`. */
  callTimeout: durationOption.optional(),
  /** Most tries of a read, the first one included. 1 repeats nothing. Default 3. */
  maxAttempts: z.int().min(1).max(10).default(3),
  /** Pause between two listings of all functions. Default 5s. */
  feedInterval: limit.prefault('5s'),
  /** How long the gateway's start waits for the first listing; it starts without one after that. Default 1s. */
  firstFeedWait: durationOption.prefault('1s'),
})

/** Decoded {@link providerClientOptions}, durations in milliseconds. */
export type ProviderClientOptions = z.output<typeof providerClientOptions>
