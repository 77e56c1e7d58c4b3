import { connect, createServer, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { SystemClock } from '#core/lean'
import { FunctionOutput } from '../../../sidecar/function/function-output.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

guardAgainstLeaks()

/** Two ends of a connection: one is written to, the other read when the test wants it. */
async function pipe() {
  const taken = Promise.withResolvers<Socket>()
  const server = createServer((socket) => taken.resolve(socket.pause()))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const writer = connect(typeof address === 'object' ? (address?.port ?? 0) : 0, '127.0.0.1')
  const reader = await taken.promise
  return {
    writer,
    reader,
    async [Symbol.asyncDispose]() {
      writer.destroy()
      reader.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

describe('FunctionOutput', () => {
  it('holds little back for a reader that does not read, drops the rest of what it says, and says how much', async () => {
    await using stderr = await pipe()
    await using stdout = await pipe()
    const deps = { clock: new SystemClock(), output: { stdout: stdout.writer, stderr: stderr.writer } }
    const output = new FunctionOutput(deps, { prefixLogs: true, logLineLength: 8_192 })

    const lines = 300_000
    for (let i = 0; i < lines; i += 1) output.say(`Wrote ${i} Bytes - Duration: 0.001 seconds`)
    const waiting = stderr.writer.writableLength
    let text = ''
    stderr.reader
      .setEncoding('utf8')
      .on('data', (piece: string) => (text += piece))
      .resume()
    const dropped = await eventually('the count', () => /(\d+) lines dropped: the reader/.exec(text)?.[1])
    output.say('as before')
    await eventually('the next line', () => text.includes('as before\n'))

    expect(waiting).toBeLessThan(1.1 * 1024 * 1024)
    const written = [...text.matchAll(/ Wrote \d+ Bytes/g)].length
    expect(written + Number(dropped)).toBe(lines)
  })
})
