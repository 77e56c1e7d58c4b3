import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '#core'

/** Longest line that is kept whole, in characters; a longer one is cut into several. */
const maxLineLength = 8 * 1024
/** Bytes that are read in one {@link budgetWindowMs}: a function that writes more is made to wait, not the gateway. */
const budgetBytes = 512 * 1024
const budgetWindowMs = 100

/** Calls `onLine` for every line that comes out of `stream`, no faster than a budget allows. */
export function readLines(stream: Readable, clock: Clock, onLine: (line: string) => void): void {
  const reader = new LineReader(stream, clock, onLine)
  stream.on('data', (piece: Buffer) => reader.take(piece))
  stream.once('close', () => reader.flush())
}

class LineReader {
  readonly #stream: Readable
  readonly #clock: Clock
  readonly #onLine: (line: string) => void
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #windowStartMs = 0
  #windowBytes = 0

  constructor(stream: Readable, clock: Clock, onLine: (line: string) => void) {
    this.#stream = stream
    this.#clock = clock
    this.#onLine = onLine
  }

  take(piece: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#emit(line)
    while (this.#rest.length > maxLineLength) {
      this.#onLine(this.#rest.slice(0, maxLineLength))
      this.#rest = this.#rest.slice(maxLineLength)
    }
    this.#spend(piece.byteLength)
  }

  #emit(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text.length <= maxLineLength) {
      this.#onLine(text)
      return
    }
    for (let at = 0; at < text.length; at += maxLineLength) this.#onLine(text.slice(at, at + maxLineLength))
  }

  flush(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#emit(rest)
  }

  #spend(bytes: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowStartMs >= budgetWindowMs) {
      this.#windowStartMs = nowMs
      this.#windowBytes = 0
    }
    this.#windowBytes += bytes
    if (this.#windowBytes < budgetBytes) return
    this.#stream.pause()
    this.#clock.after(this.#windowStartMs + budgetWindowMs - nowMs, () => this.#stream.resume())
  }
}
