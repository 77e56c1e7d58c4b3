import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readLines } from '../../../core/processes/line-reader.ts'
import { FakeClock } from '../../support/fake-clock.ts'

/** Everything that is read from the pieces, until the stream has closed. */
async function linesOf(pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, { clock: new FakeClock(), onLine: (line) => lines.push(line) })
  const closed = new Promise((resolve) => stream.once('close', resolve))
  for (const piece of pieces) stream.write(piece)
  stream.end()
  await closed
  return lines
}

describe('readLines', () => {
  it('joins what comes in pieces, characters of several bytes included', async () => {
    const euro = Buffer.from('€')

    expect(await linesOf(['on', 'e\r\ntw', 'o\n\n', euro.subarray(0, 1), euro.subarray(1)])).toEqual([
      'one',
      'two',
      '',
      '€',
    ])
  })

  it('cuts a line without an end', async () => {
    const lines = await linesOf(['x'.repeat(20_000)])

    expect(lines.map(({ length }) => length)).toEqual([8192, 8192, 3616])
  })

  it('stops reading when the budget of a moment is spent, and goes on in the next', async () => {
    const stream = new PassThrough({ highWaterMark: 4 << 20 })
    const clock = new FakeClock()
    let lines = 0
    readLines(stream, { clock, onLine: () => (lines += 1) })
    const piece = `${'x'.repeat(1023)}\n`.repeat(64)
    for (let i = 0; i < 16; i += 1) stream.write(piece)

    await clock.advance(50)
    expect(lines).toBe(512)

    await clock.advance(100)
    expect(lines).toBe(1024)
    stream.destroy()
  })

  it('reads nothing more until a line has been taken', async () => {
    const stream = new PassThrough()
    const taken = Promise.withResolvers<void>()
    const lines: string[] = []
    readLines(stream, { clock: new FakeClock(), onLine: (line) => (lines.push(line), taken.promise) })

    stream.write('one\n')
    await new Promise((resolve) => setImmediate(resolve))
    stream.write('two\n')
    await new Promise((resolve) => setImmediate(resolve))
    expect(lines).toEqual(['one'])
    taken.resolve()
    await new Promise((resolve) => setImmediate(resolve))

    expect(lines).toEqual(['one', 'two'])
    stream.destroy()
  })

  it('cuts lines where it is told to', async () => {
    const stream = new PassThrough()
    const lines: string[] = []
    readLines(stream, { clock: new FakeClock(), onLine: (line) => lines.push(line), maxLineLength: 3 })

    stream.end('abcdefgh\nij\n')
    await new Promise((resolve) => stream.once('close', resolve))

    expect(lines).toEqual(['abc', 'def', 'gh', 'ij'])
  })
})
