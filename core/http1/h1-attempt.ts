import type { Readable } from 'node:stream'
import type { GatewayError } from '../errors/gateway-error.ts'
import type { ForwardCall } from '../http/forwarder.ts'
import type { GatewayRequest } from '../http/gateway-request.ts'
import type { HeaderList } from '../http/header-list.ts'
import { replyHeaders, replyTrailers } from '../http/reply-headers.ts'
import { type AttemptPorts, UpstreamAttempt } from '../http/upstream-attempt.ts'
import { UpstreamReply } from '../http/upstream-reply.ts'
import type { AnswerHead } from './answer-head.ts'
import { brokenOff } from './call-errors.ts'
import type { Connection } from './connection.ts'
import type { OriginPool, PooledCall } from './origin-pool.ts'
import { requestHead } from './request-head.ts'

/** What an attempt works with, besides its call. */
export interface H1AttemptPorts extends AttemptPorts {
  /** @throws Error when there is none any more */
  readonly poolOf: (origin: string) => OriginPool
}

/** Methods whose body every server reads; behind another method's request, bytes of it may stay unread. */
const carriesBody = new Set(['POST', 'PUT', 'PATCH', 'PROPFIND', 'PROPPATCH', 'QUERY'])

/** One attempt over a connection from the pool of its origin. */
export class H1Attempt extends UpstreamAttempt implements PooledCall {
  head = ''
  body: Buffer | Readable | undefined
  readonly keepsConnection: boolean
  readonly #poolOf: (origin: string) => OriginPool
  #pool: OriginPool | undefined
  #connection: Connection | undefined

  constructor(call: ForwardCall, ports: H1AttemptPorts) {
    super(call, ports)
    this.keepsConnection = leavesNothing(call.request)
    this.#poolOf = ports.poolOf
  }

  get request(): GatewayRequest {
    return this.call.request
  }

  get method(): string {
    return this.call.request.method
  }

  get bodyLength(): number | undefined {
    return this.call.request.body.length
  }

  /** Asks for a connection, once the body is there, unless the attempt is over by then. Fails when the request cannot be sent as it is. */
  send(body: Buffer | Readable | undefined): void {
    if (this.givenUp !== undefined) return
    this.body = body
    try {
      const pool = this.#poolOf(this.call.origin)
      this.head = requestHead(this.call, pool.host, this.keepsConnection)
      this.#pool = pool
      pool.acquire(this)
    } catch (error) {
      this.failed(brokenOff(error))
    }
  }

  onConnection(connection: Connection): void {
    this.#connection = connection
    connection.carry(this)
  }

  onInformation(status: number, rawHeaders: HeaderList): void {
    this.request.inform(status, replyTrailers(rawHeaders) ?? [])
  }

  onHead({ status, statusText, rawHeaders, isChunked, connection, trailer }: AnswerHead): void {
    const framing = { connection, trailer, 'transfer-encoding': isChunked ? 'chunked' : undefined }
    const headers = replyHeaders(rawHeaders, framing, this.request)
    this.answered(new UpstreamReply({ status, statusText, headers }, this))
  }

  onPiece(piece: Buffer): boolean {
    return this.reply?.push(piece) ?? true
  }

  onEnd(trailers: HeaderList | undefined): void {
    this.#connection = undefined
    this.settle()
    this.reply?.complete(replyTrailers(trailers))
  }

  onBroken(cause: unknown): void {
    if (this.#connection !== undefined) this.#pool?.noteCut(this)
    this.#connection = undefined
    this.failed(brokenOff(cause))
  }

  pause(): void {
    this.#connection?.pause()
  }

  resume(): void {
    this.#connection?.resume()
  }

  protected override cancel(reason: GatewayError): void {
    const connection = this.#connection
    this.#connection = undefined
    if (connection === undefined) this.#pool?.leave(this)
    else connection.abandon()
    this.failed(reason)
  }
}

/** Whether nothing of the exchange can be left on the connection: many servers ignore the body of a GET, or give HEAD one. */
function leavesNothing({ method, body }: GatewayRequest): boolean {
  return method !== 'HEAD' && (body.length === 0 || carriesBody.has(method))
}
