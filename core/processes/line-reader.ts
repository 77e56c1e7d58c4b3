import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import type { Clock } from '../time/clock.ts'

const defaultLineLength = 8 * 1024
/** Bytes that are read in one {@link budgetWindowMs}: a function that writes more is made to wait, not its reader. */
const budgetBytes = 512 * 1024
const budgetWindowMs = 100

/** How lines are read. */
export interface LineReading {
  readonly clock: Clock
  /** Takes one line. Until a promise that it returns has settled, nothing more is read. */
  readonly onLine: (line: string) => unknown
  /** Characters; a longer line is cut into several. Default 8,192. */
  readonly maxLineLength?: number
}

/** Gives every line that comes out of `stream` to `onLine`, no faster than a budget allows and `onLine` takes them. */
export function readLines(stream: Readable, reading: LineReading): void {
  const reader = new LineReader(stream, reading)
  stream.on('data', (piece: Buffer) => reader.take(piece))
  stream.once('close', () => reader.flush())
}

class LineReader {
  readonly #stream: Readable
  readonly #clock: Clock
  readonly #onLine: LineReading['onLine']
  readonly #maxLineLength: number
  readonly #decoder = new StringDecoder('utf8')
  #rest = ''
  #windowStartMs = 0
  #windowBytes = 0
  #holds = 0

  constructor(stream: Readable, { clock, onLine, maxLineLength = defaultLineLength }: LineReading) {
    this.#stream = stream
    this.#clock = clock
    this.#onLine = onLine
    this.#maxLineLength = maxLineLength
  }

  take(piece: Buffer): void {
    const lines = (this.#rest + this.#decoder.write(piece)).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#emit(line)
    while (this.#rest.length > this.#maxLineLength) {
      this.#give(this.#rest.slice(0, this.#maxLineLength))
      this.#rest = this.#rest.slice(this.#maxLineLength)
    }
    this.#spend(piece.byteLength)
  }

  flush(): void {
    const rest = this.#rest + this.#decoder.end()
    this.#rest = ''
    if (rest !== '') this.#emit(rest)
  }

  #emit(line: string): void {
    const text = line.endsWith('\r') ? line.slice(0, -1) : line
    if (text.length <= this.#maxLineLength) {
      this.#give(text)
      return
    }
    for (let at = 0; at < text.length; at += this.#maxLineLength) this.#give(text.slice(at, at + this.#maxLineLength))
  }

  #give(line: string): void {
    const taken = this.#onLine(line)
    if (taken instanceof Promise) this.#hold(taken)
  }

  #spend(bytes: number): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#windowStartMs >= budgetWindowMs) {
      this.#windowStartMs = nowMs
      this.#windowBytes = 0
    }
    this.#windowBytes += bytes
    if (this.#windowBytes < budgetBytes) return
    this.#windowBytes = 0
    const pauseMs = this.#windowStartMs + budgetWindowMs - nowMs
    this.#hold(new Promise<void>((resolve) => this.#clock.after(pauseMs, resolve)))
  }

  #hold(until: Promise<unknown>): void {
    this.#holds += 1
    this.#stream.pause()
    const release = (): void => {
      this.#holds -= 1
      if (this.#holds === 0) this.#stream.resume()
    }
    until.then(release, release)
  }
}
