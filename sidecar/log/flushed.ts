import type { Writable } from 'node:stream'
import type { Clock } from '#core/lean'

const limitMs = 1_000

/** Resolves when what was written has been taken, or after a second with a reader that does not read. */
export async function flushed(stream: Writable, clock: Clock): Promise<void> {
  if (stream.writableLength === 0 || stream.destroyed) return
  const written = Promise.withResolvers<void>()
  const limit = clock.after(limitMs, written.resolve)
  stream.once('close', written.resolve)
  stream.write('', () => written.resolve())
  await written.promise
  limit[Symbol.dispose]()
}
