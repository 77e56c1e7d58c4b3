import type { ServerResponse } from 'node:http'
import { GatewayError } from '../errors/gateway-error.ts'
import { Reply } from './reply.ts'

/** A reply whose whole body is at hand. Adds `Content-Length`. */
export class BufferReply extends Reply {
  readonly #body: Uint8Array

  /** @param headers without `Content-Length`, which is added where the status allows a body */
  constructor(status: number, headers: Readonly<Record<string, string>> = {}, body: string | Uint8Array = '') {
    super(status, '', Object.entries(headers).flat())
    this.#body = typeof body === 'string' ? Buffer.from(body) : body
    if (status !== 204 && status !== 304) this.headers.push('Content-Length', String(this.#body.byteLength))
  }

  override sendTo(response: ServerResponse): void {
    response.on('close', () => {
      this.finish(response.writableFinished ? 'complete' : 'client_gone', this.#body.byteLength)
    })
    response.writeHead(this.status, this.headers)
    response.end(this.#body)
  }

  override discard(): void {
    this.finish('discarded', 0)
  }

  override async bytes(maxBytes: number): Promise<Uint8Array> {
    this.discard()
    if (this.#body.byteLength <= maxBytes) return this.#body
    throw new GatewayError('upstream_failed', `the answer is longer than ${maxBytes} bytes`)
  }
}

/** Builds a JSON reply. */
export function jsonReply(status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): BufferReply {
  return new BufferReply(status, { 'Content-Type': 'application/json', ...headers }, JSON.stringify(value))
}

/** Builds a plain-text reply as Go's `http.Error` sends it, which OpenFaaS clients print as it is. */
export function textReply(status: number, text: string, headers: Readonly<Record<string, string>> = {}): BufferReply {
  return new BufferReply(
    status,
    { 'Content-Type': 'text/plain; charset=utf-8', 'X-Content-Type-Options': 'nosniff', ...headers },
    text,
  )
}
