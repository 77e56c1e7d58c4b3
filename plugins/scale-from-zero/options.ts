import { durationOption } from '#core'
import { z } from 'zod'

/** Options of scale-from-zero. Durations are Go text (`10ms`, `1m30s`). */
export const scaleFromZeroOptions = z.strictObject({
  /** Most calls held for one function; further ones are refused at once with 503. */
  maxHeldPerFunction: z.int().min(1).default(2000),
  /** Most calls held for all functions together. */
  maxHeldTotal: z.int().min(1).default(10_000),
  /** Most memory that held calls may take together, in bytes, estimated from their heads and bodies. */
  maxHeldBytes: z
    .int()
    .min(1024)
    .default(256 * 1024 * 1024),
  /** Pause between the first status calls of a wake. */
  pollFirst: durationOption.prefault('5ms'),
  /** Later pauses, as a share of the time the wake has lasted. */
  pollGrowthRatio: z.number().min(0).max(1).default(0.005),
  /** Longest pause between status calls. */
  pollMax: durationOption.prefault('500ms'),
  /** Most status calls a second of all wakes together that one gateway leads; with more wakes at once each pauses for longer. */
  maxPollsPerSecond: z.number().min(1).default(2000),
  /** How long a provider may say that replicas fail to start before the callers of a wake are told. */
  crashPatience: durationOption.prefault('2s'),
  /** How long a provider may fail before the callers of a wake are told. */
  providerPatience: durationOption.prefault('5s'),
  /** After an accepted scale call that shows no effect: when it is sent again. Doubles each time. */
  rescaleAfter: durationOption.prefault('5s'),
  /** First pause after a function could not be started; doubles with each failure in a row. */
  failureBackoff: durationOption.prefault('1s'),
  /** Longest such pause. */
  failureBackoffMax: durationOption.prefault('30s'),
  /** How long an unknown name is remembered as unknown. */
  absentTtl: durationOption.prefault('3s'),
})

/** Decoded options, durations in milliseconds. */
export type ScaleFromZeroOptions = z.output<typeof scaleFromZeroOptions>
