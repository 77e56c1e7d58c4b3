/** One whole request. Its parts are valid until the reader gets more bytes. */
export interface BareRequest {
  /** Request line and header lines, without the blank line. */
  readonly head: string
  readonly body: Buffer
}

const blankLine = Buffer.from('\r\n\r\n')
const nothing: Buffer = Buffer.alloc(0)
const bodyHeader = /\r\n(content-length|transfer-encoding):[ \t]*([^\r]*)/i

/**
 * Cuts the bytes of one connection into requests, however they are split into packets. Knows bodies with a Content-Length:
 * what undici and Node's own client send for a body whose size they know.
 */
export class RequestReader {
  readonly #onRequest: (request: BareRequest) => void
  #rest = nothing

  constructor(onRequest: (request: BareRequest) => void) {
    this.#onRequest = onRequest
  }

  /** Takes the next bytes. @throws Error for a body without a Content-Length */
  push(piece: Buffer): void {
    let bytes = this.#rest.length === 0 ? piece : Buffer.concat([this.#rest, piece])
    for (;;) {
      const headEnd = bytes.indexOf(blankLine)
      if (headEnd === -1) break
      const head = bytes.toString('latin1', 0, headEnd)
      const bodyFrom = headEnd + blankLine.length
      const end = bodyFrom + bodyBytes(head)
      if (bytes.length < end) break
      this.#onRequest({ head, body: end === bodyFrom ? nothing : bytes.subarray(bodyFrom, end) })
      bytes = bytes.length === end ? nothing : bytes.subarray(end)
    }
    this.#rest = bytes
  }
}

function bodyBytes(head: string): number {
  const found = bodyHeader.exec(head)
  if (found === null) return 0
  const [line, name = '', value = ''] = found
  if (name.length !== 'content-length'.length || !/^\d+$/.test(value))
    throw new Error(`cannot read a body with ${line}`)
  return Number(value)
}
