import type { HeaderList } from '../http/header-list.ts'
import { beginsLikeHead, readHead, type AnswerHead } from './answer-head.ts'
import type { AnswerSink, LineLimits } from './answer-sink.ts'
import { ChunkedBody } from './chunked-body.ts'
import { LineSection } from './line-section.ts'
import { MalformedAnswer } from './malformed-answer.ts'
import { isPersistent } from './persistence.ts'

/**
 * - `idle`: no call is under way; any byte is one too many
 * - `head`: before or inside a head
 * - `length`, `chunks`, `connection`: inside a body that ends after so many bytes, by its chunks, or with the connection
 * - `whole`: behind the last byte of an answer
 * - `stopped`: nothing more is read
 */
type ParserState = 'idle' | 'head' | 'length' | 'chunks' | 'connection' | 'whole' | 'stopped'

const blankLine = Buffer.from('\r\n\r\n')

/**
 * Reads the answers of one connection, one call after the other, cut in pieces anyhow. What two readers could understand
 * differently is refused.
 * @see RFC 9112
 */
export class AnswerParser {
  readonly #sink: AnswerSink
  readonly #limits: LineLimits
  readonly #splitHead = new LineSection()
  readonly #chunks: ChunkedBody
  #state: ParserState = 'idle'
  #isForHead = false
  #lineBytesLeft = 0
  #bodyBytesLeft = 0
  #reusable = false
  #trailers: HeaderList | undefined

  constructor(sink: AnswerSink, limits: LineLimits) {
    this.#sink = sink
    this.#limits = limits
    this.#chunks = new ChunkedBody(sink, limits.maxHeaderLines)
  }

  /** Whether only the end of the connection ends the body under way. */
  get endsWithConnection(): boolean {
    return this.#state === 'connection'
  }

  /** Expects the answer to a request: one to HEAD has no body. */
  begin(method: string): void {
    this.#state = 'head'
    this.#isForHead = method === 'HEAD'
    this.#lineBytesLeft = this.#limits.maxHeaderBytes
    this.#trailers = undefined
  }

  /** Reads nothing more. */
  stop(): void {
    this.#state = 'stopped'
    this.#chunks.stop()
  }

  /**
   * Reads the first `size` bytes.
   * @throws MalformedAnswer
   */
  read(bytes: Buffer, size: number): void {
    for (let at = 0; at < size;) {
      at = this.#step(bytes, at, size)
      if (this.#state !== 'whole') continue
      this.#state = 'idle'
      this.#sink.completed(this.#trailers, this.#reusable && at === size)
    }
  }

  #step(bytes: Buffer, start: number, size: number): number {
    switch (this.#state) {
      case 'head':
        return this.#readHead(bytes, start, size)
      case 'length':
        return this.#readLength(bytes, start, size)
      case 'chunks':
        return this.#readChunks(bytes, start, size)
      case 'connection':
        this.#sink.piece(bytes, start, size)
        return size
      case 'idle':
      case 'whole':
        throw new MalformedAnswer('bytes came that nobody asked for')
      case 'stopped':
        return size
    }
  }

  #readHead(bytes: Buffer, start: number, size: number): number {
    const split = this.#splitHead
    if (split.size > 0) return this.#readSplitHead(bytes, start, size)
    const found = bytes.indexOf(blankLine, start)
    const end = found + blankLine.length
    if (found === -1 || end > size) {
      split.clear(this.#lineBytesLeft)
      return this.#readSplitHead(bytes, start, size)
    }
    this.#takeLineBytes(end - start)
    this.#headEnded(readHead({ bytes, start, end }, this.#limits.maxHeaderLines))
    return end
  }

  #readSplitHead(bytes: Buffer, start: number, size: number): number {
    const split = this.#splitHead
    const stop = split.take(bytes, start, size)
    if (!beginsLikeHead(split.bytes, { start: 0, end: split.size })) throw new MalformedAnswer('it is not HTTP/1')
    if (!split.complete) return stop
    const head = readHead({ bytes: split.bytes, start: 0, end: split.size }, this.#limits.maxHeaderLines)
    this.#takeLineBytes(split.size)
    split.clear(0)
    this.#headEnded(head)
    return stop
  }

  #takeLineBytes(count: number): void {
    if (count > this.#lineBytesLeft) {
      throw new MalformedAnswer(`its head is larger than ${this.#limits.maxHeaderBytes} bytes`)
    }
    this.#lineBytesLeft -= count
  }

  #headEnded(head: AnswerHead): void {
    if (head.status < 200) {
      if (head.status === 101) throw new MalformedAnswer('it changes the protocol, which nobody asked for')
      this.#sink.informed(head.status, head.rawHeaders)
      return
    }
    this.#state = this.#frame(head)
    this.#reusable = isPersistent(head)
    this.#sink.answered(head)
  }

  /** @see RFC 9112 section 6.3 */
  #frame({ status, isChunked, contentLength }: AnswerHead): ParserState {
    if (this.#isForHead || status === 204 || status === 304 || contentLength === 0) return 'whole'
    if (isChunked) {
      this.#chunks.begin(this.#lineBytesLeft)
      return 'chunks'
    }
    if (contentLength === undefined) return 'connection'
    this.#bodyBytesLeft = contentLength
    return 'length'
  }

  #readLength(bytes: Buffer, start: number, size: number): number {
    const end = Math.min(size, start + this.#bodyBytesLeft)
    this.#bodyBytesLeft -= end - start
    if (this.#bodyBytesLeft === 0) this.#state = 'whole'
    this.#sink.piece(bytes, start, end)
    return end
  }

  #readChunks(bytes: Buffer, start: number, size: number): number {
    const end = this.#chunks.read(bytes, start, size)
    if (this.#chunks.done && this.#state === 'chunks') {
      this.#trailers = this.#chunks.trailers
      this.#state = 'whole'
    }
    return end
  }
}
