import type { HeaderList } from '../http/header-list.ts'
import type { PieceSink } from './answer-sink.ts'
import { readFields } from './fields.ts'
import { readFraming } from './framing.ts'
import { LineSection } from './line-section.ts'
import { MalformedAnswer } from './malformed-answer.ts'
import { hexValues, octet } from './octets.ts'

type ChunkState = 'size' | 'extension' | 'end of size' | 'data' | 'end of data' | 'end of chunk' | 'trailers' | 'done'

/** Most digits of a chunk's size, leading zeros included: a number of more would not be exact. */
const maxSizeDigits = 13
/** Most bytes of chunk extensions in one answer. */
const maxExtensionBytes = 16 * 1024
/** `;name`, `;name=token` or `;name="quoted"`, as often as one likes. */
const extensions =
  /^(?:;[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?:=(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))?)*$/

/**
 * Reads one chunked body after the other, cut in pieces anyhow. Chunk extensions are skipped.
 * @see RFC 9112 section 7.1
 */
export class ChunkedBody {
  readonly #sink: PieceSink
  readonly #trailerLines: LineSection
  readonly #maxHeaderLines: number
  #state: ChunkState = 'done'
  #left = 0
  #digits = 0
  #extensionBytes = 0
  #extension = ''
  #trailers: HeaderList | undefined

  constructor(sink: PieceSink, maxHeaderLines: number) {
    this.#sink = sink
    this.#maxHeaderLines = maxHeaderLines
    this.#trailerLines = new LineSection()
  }

  /** Whether the body is whole, or given up. */
  get done(): boolean {
    return this.#state === 'done'
  }

  /** Trailers of a body that is whole, or undefined when it has none. */
  get trailers(): HeaderList | undefined {
    return this.#trailers
  }

  /** Begins a new body. */
  begin(maxTrailerBytes: number): void {
    this.#state = 'size'
    this.#left = 0
    this.#digits = 0
    this.#extensionBytes = 0
    this.#extension = ''
    this.#trailers = undefined
    this.#trailerLines.clear(maxTrailerBytes)
  }

  /** Gives the rest of the body up: nothing more is delivered. */
  stop(): void {
    this.#state = 'done'
  }

  /**
   * @returns where it stopped: at the end of the bytes or of the body
   * @throws MalformedAnswer
   */
  read(bytes: Buffer, start: number, end: number): number {
    let at = start
    while (at < end && this.#state !== 'done') {
      if (this.#state === 'data') at = this.#data(bytes, at, end)
      else if (this.#state === 'trailers') at = this.#trailer(bytes, at, end)
      else this.#frame(bytes[at++] ?? 0)
    }
    return at
  }

  #data(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#left)
    this.#left -= stop - start
    if (this.#left === 0) this.#state = 'end of data'
    this.#sink.piece(bytes, start, stop)
    return stop
  }

  #trailer(bytes: Buffer, start: number, end: number): number {
    const lines = this.#trailerLines
    const stop = lines.take(bytes, start, end)
    if (!lines.complete) return stop
    if (lines.size > 2) this.#trailers = trailersOf(lines, this.#maxHeaderLines)
    lines.clear(0)
    this.#state = 'done'
    return stop
  }

  #frame(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#sizeOctet(byte)
        break
      case 'extension':
        this.#extensionOctet(byte)
        break
      case 'end of size':
        this.#expect(byte, octet.lineFeed, this.#left === 0 ? 'trailers' : 'data')
        break
      case 'end of data':
        this.#expect(byte, octet.carriageReturn, 'end of chunk')
        break
      case 'end of chunk':
        this.#expect(byte, octet.lineFeed, 'size')
        break
      case 'data':
      case 'trailers':
      case 'done':
        throw new Error(`invariant: no frame in the state ${this.#state}`)
    }
  }

  #sizeOctet(byte: number): void {
    const value = hexValues[byte] ?? 255
    if (value !== 255) {
      this.#digits += 1
      if (this.#digits > maxSizeDigits) throw new MalformedAnswer('the size of a chunk is too long')
      this.#left = this.#left * 16 + value
      return
    }
    if (this.#digits === 0) throw new MalformedAnswer('a chunk has no size')
    this.#digits = 0
    if (byte === octet.semicolon) this.#extensionOctet(byte)
    else this.#expect(byte, octet.carriageReturn, 'end of size')
  }

  #extensionOctet(byte: number): void {
    if (byte !== octet.carriageReturn) {
      this.#state = 'extension'
      this.#extension += String.fromCharCode(byte)
      this.#extensionBytes += 1
      if (this.#extensionBytes > maxExtensionBytes) throw new MalformedAnswer('its chunk extensions are too long')
      return
    }
    if (!extensions.test(this.#extension)) throw new MalformedAnswer('a chunk extension is invalid')
    this.#extension = ''
    this.#state = 'end of size'
  }

  #expect(byte: number, wanted: number, next: ChunkState): void {
    if (byte !== wanted) throw new MalformedAnswer('a chunk is not framed as it must be')
    this.#state = next
  }
}

function trailersOf({ bytes, size }: LineSection, maxLines: number): HeaderList {
  const trailers = readFields({ bytes, start: 0, end: size }, maxLines)
  const { contentLength, isChunked } = readFraming(trailers)
  // A reader that merged them into the headers would see another body (RFC 9110 section 6.5.1).
  if (isChunked || contentLength !== undefined) throw new MalformedAnswer('a trailer frames the body')
  return trailers
}
