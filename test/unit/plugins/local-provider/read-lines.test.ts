import { PassThrough } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { readLines } from '../../../../plugins/local-provider/logs/line-reader.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

/** Everything that is read from the pieces, until the stream has closed. */
async function linesOf(pieces: readonly (string | Buffer)[]): Promise<string[]> {
  const stream = new PassThrough()
  const lines: string[] = []
  readLines(stream, new FakeClock(), (line) => lines.push(line))
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
    readLines(stream, clock, () => (lines += 1))
    const piece = `${'x'.repeat(1023)}\n`.repeat(64)
    for (let i = 0; i < 16; i += 1) stream.write(piece)

    await clock.advance(50)
    expect(lines).toBe(512)

    await clock.advance(100)
    expect(lines).toBe(1024)
    stream.destroy()
  })
})
