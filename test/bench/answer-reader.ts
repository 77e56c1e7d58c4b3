const blankLine = Buffer.from('\r\n\r\n')
const lengthLine = /\r\ncontent-length:[ \t]*(\d+)/i
const nothing: Buffer = Buffer.alloc(0)

/**
 * Cuts the bytes of one connection into answers, however they are split into packets, without keeping their bodies. Knows
 * answers with a Content-Length only.
 */
export class AnswerReader {
  readonly #onAnswer: (status: number) => void
  /** The beginning of a head whose end is to come. */
  #head = nothing
  /** Bytes of the body that are to come. */
  #missing = 0
  #status = 0

  /** @param onAnswer called at the last byte of each answer */
  constructor(onAnswer: (status: number) => void) {
    this.#onAnswer = onAnswer
  }

  /** Takes the next bytes, which may be overwritten afterwards; false for what is no such answer. */
  push(piece: Buffer): boolean {
    let rest = piece
    while (rest.length > 0) {
      const taken = this.#missing > 0 ? this.#takeBody(rest) : this.#takeHead(rest)
      if (taken === undefined) return false
      rest = rest.subarray(taken)
    }
    return true
  }

  #takeBody(bytes: Buffer): number {
    const taken = Math.min(this.#missing, bytes.length)
    this.#missing -= taken
    if (this.#missing === 0) this.#onAnswer(this.#status)
    return taken
  }

  /** @returns how many of `piece` belong to the head; undefined when it is not understood */
  #takeHead(piece: Buffer): number | undefined {
    const known = this.#head.length
    const bytes = known === 0 ? piece : Buffer.concat([this.#head, piece])
    const end = bytes.indexOf(blankLine)
    if (end === -1) {
      this.#head = Buffer.from(bytes)
      return piece.length
    }
    const head = bytes.toString('latin1', 0, end)
    const length = lengthLine.exec(head)?.[1]
    if (length === undefined) return undefined
    this.#head = nothing
    this.#status = Number(head.slice(9, 12))
    this.#missing = Number(length)
    if (this.#missing === 0) this.#onAnswer(this.#status)
    return end + blankLine.length - known
  }
}
