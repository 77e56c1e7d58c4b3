/** Headers or trailers as they were sent: `[name, value]`, case and order kept. */
export type RawFields = readonly (readonly [string, string])[]

/** The head of an answer, final or informational. */
export interface RawHead {
  readonly version: string
  readonly status: number
  readonly reason: string
  readonly fields: RawFields
}

/** An answer as it came over the wire. */
export interface RawResponse extends RawHead {
  /** 1xx answers before it. */
  readonly informational: readonly RawHead[]
  /** Body without its framing. */
  readonly body: Buffer
  readonly trailers: RawFields
  /** Whether the framing says that the body is whole; a body that ends with the connection is whole once that ended cleanly. */
  readonly complete: boolean
  /** Bytes of head and body on the wire, for telling what follows. */
  readonly wireBytes: number
}

/** What decides where an answer ends, besides its own bytes. */
export interface Framing {
  /** Method of the request: an answer to HEAD has no body. */
  readonly method: string
  /** Whether the peer closed cleanly, so that a body without length is whole. */
  readonly ended: boolean
}

const crlf = Buffer.from('\r\n')
const blankLine = Buffer.from('\r\n\r\n')

/**
 * Reads the answer that starts at the beginning of `bytes`; undefined while its head is not there yet.
 * Lenient in nothing: bytes that are not HTTP throw.
 */
export function parseResponse(bytes: Buffer, framing: Framing): RawResponse | undefined {
  const informational: RawHead[] = []
  let at = 0
  for (;;) {
    const end = bytes.indexOf(blankLine, at)
    if (end === -1) return undefined
    const head = parseHead(bytes.toString('latin1', at, end))
    at = end + blankLine.length
    if (head.status >= 200 || head.status === 101) {
      const body = parseBody(bytes.subarray(at), head, framing)
      return { ...head, informational, ...body, wireBytes: at + body.wireBytes }
    }
    informational.push(head)
  }
}

/** First value of a field, names compared without case. */
export function fieldOf(fields: RawFields, name: string): string | undefined {
  return fieldsOf(fields, name)[0]
}

/** All values of a field, names compared without case. */
export function fieldsOf(fields: RawFields, name: string): readonly string[] {
  return fields.filter(([one]) => one.toLowerCase() === name.toLowerCase()).map(([, value]) => value)
}

interface Body {
  readonly body: Buffer
  readonly trailers: RawFields
  readonly complete: boolean
  readonly wireBytes: number
}

function parseHead(text: string): RawHead {
  const [statusLine = '', ...lines] = text.split('\r\n')
  const match = /^(HTTP\/1\.[01]) (\d{3}) ?(.*)$/.exec(statusLine)
  if (match === null) throw new Error(`not a status line: ${JSON.stringify(statusLine.slice(0, 80))}`)
  return { version: match[1] ?? '', status: Number(match[2]), reason: match[3] ?? '', fields: lines.map(parseField) }
}

function parseField(line: string): readonly [string, string] {
  const colon = line.indexOf(':')
  if (colon < 1) throw new Error(`not a field: ${JSON.stringify(line.slice(0, 80))}`)
  return [line.slice(0, colon), line.slice(colon + 1).trim()]
}

function parseBody(rest: Buffer, head: RawHead, { method, ended }: Framing): Body {
  if (method === 'HEAD' || head.status === 204 || head.status === 304 || head.status === 101) {
    return { body: Buffer.alloc(0), trailers: [], complete: true, wireBytes: 0 }
  }
  if (fieldOf(head.fields, 'transfer-encoding') === 'chunked') return parseChunks(rest)
  const length = fieldOf(head.fields, 'content-length')
  if (length === undefined) return { body: rest, trailers: [], complete: ended, wireBytes: rest.length }
  const body = rest.subarray(0, Number(length))
  return { body, trailers: [], complete: body.length === Number(length), wireBytes: body.length }
}

function parseChunks(rest: Buffer): Body {
  const pieces: Buffer[] = []
  let at = 0
  const open = (): Body => ({ body: Buffer.concat(pieces), trailers: [], complete: false, wireBytes: rest.length })
  for (;;) {
    const lineEnd = rest.indexOf(crlf, at)
    if (lineEnd === -1) return open()
    const size = Number.parseInt(rest.toString('latin1', at, lineEnd), 16)
    const start = lineEnd + crlf.length
    if (size === 0) return parseTrailers(rest, start, pieces) ?? open()
    pieces.push(rest.subarray(start, start + size))
    if (rest.length < start + size + crlf.length) return open()
    at = start + size + crlf.length
  }
}

function parseTrailers(rest: Buffer, start: number, pieces: readonly Buffer[]): Body | undefined {
  const body = Buffer.concat(pieces)
  if (rest.subarray(start, start + 2).equals(crlf)) return { body, trailers: [], complete: true, wireBytes: start + 2 }
  const end = rest.indexOf(blankLine, start)
  if (end === -1) return undefined
  const trailers = rest.toString('latin1', start, end).split('\r\n').map(parseField)
  return { body, trailers, complete: true, wireBytes: end + blankLine.length }
}
