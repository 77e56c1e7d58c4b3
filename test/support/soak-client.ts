import { type Agent, type IncomingHttpHeaders, request } from 'node:http'

/** What one call asks. */
export interface Question {
  readonly url: string
  readonly method?: string
  /** With `Trailer`, that one is sent after a chunked body. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Whose connections are used; without one, the call has a connection of its own. */
  readonly agent?: Agent
}

/** What came back. */
export interface Answer {
  /** 0 when the connection broke before a head. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  /** Whether the framing says that the answer is whole. */
  readonly isWhole: boolean
}

const nothing: Answer = { status: 0, headers: {}, body: Buffer.alloc(0), isWhole: false }

/** Makes one call. Never rejects. */
export function ask({ url, method = 'GET', headers = {}, body, agent }: Question): Promise<Answer> {
  return new Promise((resolve) => {
    const outgoing = request(url, { method, headers, agent: agent ?? false }, (incoming) => {
      const pieces: Buffer[] = []
      incoming.on('data', (piece: Buffer) => pieces.push(piece))
      incoming.on('error', () => {})
      incoming.once('close', () => {
        const { statusCode: status = 0, headers: fields, complete: isWhole } = incoming
        resolve({ status, headers: fields, body: Buffer.concat(pieces), isWhole })
      })
    })
    outgoing.on('error', () => resolve(nothing))
    if ('Trailer' in headers) {
      outgoing.write(body ?? '')
      outgoing.addTrailers({ [headers['Trailer'] ?? '']: 'sent' })
      outgoing.end()
    } else {
      outgoing.end(body)
    }
  })
}
