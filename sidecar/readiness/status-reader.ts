/** Bytes before the first final answer's status line is whole; more is no answer to a probe. */
const maxBytes = 16 * 1024
/** Bytes of one status line. */
const maxLineBytes = 1024
const version = 'HTTP/1.'
const statusLine = /^HTTP\/1\.[01] ([1-5]\d\d)(?: [\t\x20-\x7e\x80-\xff]*)?$/

/**
 * Reads the status of an answer from its bytes, strictly, and nothing behind it. Informational answers before it are skipped.
 * @see RFC 9112 section 4, RFC 9110 section 15.2
 */
export class StatusReader {
  #text = ''

  /** Takes the next bytes. @returns the status once it is there, `malformed` when this is no HTTP/1 answer, else undefined */
  take(piece: Buffer): number | 'malformed' | undefined {
    this.#text += piece.toString('latin1')
    let status = this.#status()
    while (typeof status === 'number' && status < 200) {
      const headEnd = this.#text.indexOf('\r\n\r\n')
      if (headEnd === -1) return this.#moreThan(maxBytes)
      this.#text = this.#text.slice(headEnd + 4)
      status = this.#status()
    }
    return status
  }

  #status(): number | 'malformed' | undefined {
    const lineEnd = this.#text.indexOf('\r\n')
    if (lineEnd === -1) return this.#moreThan(maxLineBytes)
    const status = statusLine.exec(this.#text.slice(0, lineEnd))?.[1]
    return status === undefined || lineEnd > maxLineBytes ? 'malformed' : Number(status)
  }

  /** Waits for more, unless it is too much already, or cannot become an answer. */
  #moreThan(limitBytes: number): 'malformed' | undefined {
    const begin = this.#text.slice(0, version.length)
    return this.#text.length > limitBytes || !version.startsWith(begin) ? 'malformed' : undefined
  }
}
