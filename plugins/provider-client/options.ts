import { z } from 'zod'

const durationMs = z.number().int().positive()

/** Options of the provider client. */
export const providerClientOptions = z.strictObject({
  /** Longest time for one status of one function, repeats included. Milliseconds, default 5,000. */
  statusTimeoutMs: durationMs.default(5_000),
  /** Longest time for one scale call, which is never repeated here. Milliseconds, default 10,000. */
  scaleTimeoutMs: durationMs.default(10_000),
  /** Longest time for a list of functions or namespaces, repeats included. Milliseconds, default 10,000. */
  listTimeoutMs: durationMs.default(10_000),
  /** Longest wait for the head of an answer that is passed on to a client. Milliseconds, default: `upstreamTimeout`. */
  callTimeoutMs: durationMs.optional(),
  /** Most tries of a read, the first one included. 1 repeats nothing. Default 3. */
  maxAttempts: z.number().int().min(1).max(10).default(3),
  /** Pause between two listings of all functions. Milliseconds, default 5,000. */
  feedIntervalMs: durationMs.min(100).default(5_000),
  /** How long the gateway's start waits for the first listing; it starts without one after that. Milliseconds, default 1,000. */
  firstFeedWaitMs: z.number().int().nonnegative().default(1_000),
})

/** Decoded {@link providerClientOptions}. */
export type ProviderClientOptions = z.infer<typeof providerClientOptions>
