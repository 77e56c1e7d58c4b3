import type { Readable, Writable } from 'node:stream'

const newline = 0x0a
/** A line that is longer is passed on in parts. */
const maxLineBytes = 64 * 1024

/**
 * Passes what processes write on to one stream, whole lines at a time, so that lines of several processes never run into each
 * other. A stream that takes no more for a while makes the processes wait; one that is broken loses what they write, and nothing else.
 */
export class OutputRelay {
  readonly #target: Writable
  #isBroken = false

  constructor(target: Writable) {
    this.#target = target
    target.setMaxListeners(0) // one for each process
    target.on('error', () => {
      this.#isBroken = true
    })
  }

  /** Passes on what `source` says, to its end. */
  relay(source: Readable): void {
    let rest: Buffer[] = []
    let restBytes = 0
    const keep = (piece: Buffer): void => {
      rest.push(piece)
      restBytes += piece.byteLength
    }
    const pass = (end: Buffer): void => {
      this.#write(Buffer.concat([...rest, end]), source)
      rest = []
      restBytes = 0
    }
    source.on('data', (piece: Buffer) => {
      const end = piece.lastIndexOf(newline) + 1
      if (end > 0) pass(piece.subarray(0, end))
      if (end < piece.byteLength) keep(piece.subarray(end))
      if (restBytes > maxLineBytes) pass(Buffer.from('\n'))
    })
    source.once('end', () => {
      if (restBytes > 0) pass(Buffer.from('\n'))
    })
    source.on('error', () => {}) // the end of its process is heard elsewhere
  }

  #write(lines: Buffer, source: Readable): void {
    const target = this.#target
    if (this.#isBroken || target.destroyed || target.write(lines)) return
    source.pause()
    const resume = (): void => {
      target.off('drain', resume).off('error', resume).off('close', resume)
      source.resume()
    }
    target.on('drain', resume).on('error', resume).on('close', resume)
  }
}
