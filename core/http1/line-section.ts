import { MalformedAnswer } from './malformed-answer.ts'
import { octet } from './octets.ts'

const none = Buffer.alloc(0)
const firstCapacity = 4096

/**
 * Collects lines up to a blank one, however they are cut in pieces. Each byte is looked at once; lines that do not end with
 * CR LF are refused as soon as they are seen.
 */
export class LineSection {
  #bytes: Buffer = none
  #size = 0
  #maxBytes = 0
  #lineStart = 0
  #complete = false

  /** What was collected; valid up to `size`. */
  get bytes(): Buffer {
    return this.#bytes
  }

  get size(): number {
    return this.#size
  }

  /** Whether the blank line is there. */
  get complete(): boolean {
    return this.#complete
  }

  /** Begins anew. */
  clear(maxBytes: number): void {
    this.#bytes = none
    this.#size = 0
    this.#maxBytes = maxBytes
    this.#lineStart = 0
    this.#complete = false
  }

  /**
   * Takes bytes up to the blank line.
   * @returns where it stopped
   * @throws MalformedAnswer also when there are more bytes than allowed
   */
  take(bytes: Buffer, start: number, end: number): number {
    const stop = Math.min(end, start + this.#maxBytes - this.#size)
    this.#reserve(stop - start)
    for (let at = start; at < stop; at += 1) {
      const byte = bytes[at] ?? 0
      this.#bytes[this.#size] = byte
      this.#size += 1
      if (byte !== octet.lineFeed) continue
      this.#endLine()
      if (this.#complete) return at + 1
    }
    if (stop < end) throw new MalformedAnswer(`its head is larger than ${this.#maxBytes} bytes`)
    return stop
  }

  #endLine(): void {
    const lineLength = this.#size - this.#lineStart
    if (lineLength < 2 || this.#bytes[this.#size - 2] !== octet.carriageReturn) {
      throw new MalformedAnswer('a line ends without a carriage return')
    }
    this.#complete = lineLength === 2
    this.#lineStart = this.#size
  }

  #reserve(more: number): void {
    const wanted = this.#size + more
    if (wanted <= this.#bytes.byteLength) return
    const grown = Buffer.allocUnsafe(Math.max(wanted, 2 * this.#bytes.byteLength, firstCapacity))
    this.#bytes.copy(grown, 0, 0, this.#size)
    this.#bytes = grown
  }
}
