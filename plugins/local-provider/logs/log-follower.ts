import type { LogLine, LogRing, LogSelection } from './log-ring.ts'

const linesPerPiece = 256

/** What a reader of logs asks for. */
export interface LogQuery extends LogSelection {
  /** Only the last so many of the lines that are there; undefined is all. */
  readonly tail?: number | undefined
  /** Go on with lines as they are written. */
  readonly follow: boolean
}

/**
 * Reads a ring as encoded pieces, one JSON object per line. A slow reader costs no memory: lines that had to make room
 * before they were read are skipped. Returning the iterator ends a wait for further lines at once.
 */
export class LogFollower implements AsyncIterableIterator<Uint8Array> {
  readonly #ring: LogRing
  readonly #query: LogQuery
  readonly #encode: (line: LogLine) => string
  readonly #changes: Disposable
  #at: number
  #wake: (() => void) | undefined
  #done = false

  constructor(ring: LogRing, query: LogQuery, encode: (line: LogLine) => string) {
    this.#ring = ring
    this.#query = query
    this.#encode = encode
    this.#at = query.tail === undefined ? 0 : ring.startOfTail(query.tail, query)
    this.#changes = ring.onChange(() => this.#wake?.())
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    while (!this.#done) {
      const { lines, next } = this.#ring.read(this.#at, this.#query, linesPerPiece)
      this.#at = next
      if (lines.length > 0) return { done: false, value: Buffer.from(lines.map(this.#encode).join('')) }
      if (!this.#query.follow || this.#ring.isClosed) break
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
    return this.return()
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.#done = true
    this.#changes[Symbol.dispose]()
    this.#wake?.()
    return { done: true, value: undefined }
  }
}
