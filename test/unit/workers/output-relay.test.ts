import { PassThrough, Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { OutputRelay } from '../../../core/workers/output-relay.ts'
import { eventually } from '../../support/eventually.ts'

class Kept extends Writable {
  readonly pieces: string[] = []
  release: (() => void) | undefined
  readonly #isSlow: boolean

  constructor({ isSlow = false } = {}) {
    super({ highWaterMark: 16 })
    this.#isSlow = isSlow
  }

  override _write(piece: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(piece.toString())
    if (this.#isSlow) this.release = done
    else done()
  }
}

describe('the relay of what processes write', () => {
  it('passes whole lines only, however they were cut', async () => {
    const source = new PassThrough()
    const target = new Kept()
    new OutputRelay(target).relay(source)

    for (const piece of ['on', 'e\ntw', 'o\nthree\nfo', 'ur', '\n']) {
      source.write(piece)
      await eventually('the piece to be read', () => source.readableLength === 0)
    }

    await eventually('all lines', () => target.pieces.join('') === 'one\ntwo\nthree\nfour\n')
    expect(target.pieces.every((piece) => piece.endsWith('\n'))).toBe(true)
  })

  it('never lets lines of two processes run into each other', async () => {
    const [one, other] = [new PassThrough(), new PassThrough()]
    const target = new Kept()
    const relay = new OutputRelay(target)
    relay.relay(one)
    relay.relay(other)

    one.write('aaa')
    other.write('bbb\n')
    one.write('aaa\n')

    await eventually('both lines', () => target.pieces.join('').length === 11)
    expect(target.pieces.join('').split('\n').toSorted()).toEqual(['', 'aaaaaa', 'bbb'])
  })

  it('ends a last line that its process could not finish', async () => {
    const source = new PassThrough()
    const target = new Kept()
    new OutputRelay(target).relay(source)

    source.end('cut off')

    await eventually('the line', () => target.pieces.join('') === 'cut off\n')
  })

  it('makes the process wait while nobody reads, and loses nothing', async () => {
    const source = new PassThrough({ highWaterMark: 16 })
    const target = new Kept({ isSlow: true })
    new OutputRelay(target).relay(source)
    const lines = Array.from({ length: 20 }, (_, index) => `line number ${index}\n`)

    let written = 0
    const feed = (): void => {
      while (written < lines.length && source.write(lines[written++])) continue
    }
    source.on('drain', feed)
    feed()
    await eventually('the relay to pause', () => source.isPaused())
    expect(written).toBeLessThan(lines.length)
    await eventually('all lines', () => {
      target.release?.()
      return target.pieces.join('') === lines.join('')
    })
  })

  it('passes a line without end on in parts', async () => {
    const source = new PassThrough({ highWaterMark: 1024 * 1024 })
    const target = new Kept()
    new OutputRelay(target).relay(source)

    for (let i = 0; i < 200; i += 1) source.write(Buffer.alloc(1024, 'x'))

    await eventually('a part', () => target.pieces.join('').length > 64 * 1024)
  })

  it('loses what is written once the target is broken, and nothing else: processes do not wait', async () => {
    const source = new PassThrough({ highWaterMark: 16 })
    const target = new Kept({ isSlow: true })
    new OutputRelay(target).relay(source)
    source.write('one line that is longer than the target takes\n')
    await eventually('the relay to pause', () => source.isPaused())

    target.destroy(new Error('ENOSPC'))

    await eventually('the process to go on', () => !source.isPaused())
    source.write('another\n')
    await eventually('it to be read', () => source.readableLength === 0)
  })
})
