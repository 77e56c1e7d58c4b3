import type { ClientRequest, IncomingMessage } from 'node:http'
import { type Duplex, Readable } from 'node:stream'
import type { GatewayError } from '../errors/gateway-error.ts'
import { headerPairs } from './header-list.ts'
import { ownHeaderPrefix } from './own-headers.ts'
import { replyHeaders, replyTrailers } from './reply-headers.ts'
import { TunnelReply } from './tunnel-reply.ts'
import { UpstreamAttempt } from './upstream-attempt.ts'
import { UpstreamReply } from './upstream-reply.ts'

/** One attempt over http-proxy: sets the outgoing head, and takes the answer over. */
export class HttpProxyAttempt extends UpstreamAttempt {
  #body: Readable | undefined
  #outgoing: ClientRequest | undefined
  #incoming: IncomingMessage | undefined

  /** Wraps the body for http-proxy, and takes the client's trailers along, which node:http wants before the body's end. */
  bodyOf(body: Buffer | Readable | undefined): Readable {
    const stream =
      body instanceof Readable ? body : Readable.from(body === undefined ? [] : [body], { objectMode: false })
    stream.once('end', () => {
      const trailers = replyTrailers(this.call.request.message.rawTrailers)
      if (trailers !== undefined) this.#outgoing?.addTrailers(headerPairs(trailers))
    })
    stream.on('error', (error) => this.failed(error))
    this.#body = stream
    return stream
  }

  /** Puts the exact path and headers on the outgoing request, before its head is sent. */
  prepare(outgoing: ClientRequest): void {
    if (this.#outgoing !== undefined) return
    this.#outgoing = outgoing
    const { request, headers, path, origin } = this.call
    outgoing.path = path
    for (const name of outgoing.getHeaderNames()) outgoing.removeHeader(name)
    outgoing.setHeader('Host', new URL(origin).host)
    for (let i = 0; i < headers.length; i += 2) outgoing.appendHeader(headers[i] ?? '', headers[i + 1] ?? '')
    if (request.upgrade !== undefined) {
      outgoing.setHeader('Connection', 'Upgrade')
      outgoing.setHeader('Upgrade', request.header('upgrade') ?? '')
    } else {
      if (request.body.length === undefined) outgoing.setHeader('Transfer-Encoding', 'chunked')
      else outgoing.removeHeader('trailer')
      outgoing.once('response', (incoming) => this.#answered(incoming))
    }
    outgoing.on('information', (info) => request.inform(info.statusCode, info.rawHeaders))
    if (this.givenUp !== undefined) outgoing.destroy(this.givenUp)
  }

  /**
   * Replaces http-proxy's own handling of a refused or failed upgrade: it would write to the client's socket and close it
   * before anybody could answer, or try again.
   */
  takeOverTunnel(): void {
    const outgoing = this.#outgoing
    if (outgoing === undefined)
      throw new Error('invariant: http-proxy announces the outgoing request of a tunnel at once')
    outgoing.removeAllListeners('response')
    outgoing.removeAllListeners('error')
    outgoing.once('response', (incoming) => this.#answered(incoming))
    outgoing.on('error', (error) => this.failed(error))
    outgoing.prependOnceListener('upgrade', (incoming, socket) => this.#upgraded(incoming, socket))
  }

  override failed(error: unknown): void {
    this.#stopSending()
    super.failed(error)
  }

  pause(): void {
    this.#incoming?.pause()
  }

  resume(): void {
    this.#incoming?.resume()
  }

  protected override cancel(reason: GatewayError): void {
    this.#incoming?.destroy()
    this.#stopSending(reason)
  }

  #answered(incoming: IncomingMessage): void {
    this.#incoming = incoming
    const headers = replyHeaders(incoming.rawHeaders, incoming.headers, this.call.request)
    const reply = new UpstreamReply(
      { status: incoming.statusCode ?? 502, statusText: incoming.statusMessage ?? '', headers },
      this,
    )
    incoming.on('data', (piece: Buffer) => reply.push(piece))
    incoming.once('end', () => reply.complete(replyTrailers(incoming.rawTrailers)))
    incoming.once('close', () => {
      this.settle()
      if (!incoming.complete) reply.fail()
      // The upstream has answered without reading the whole body.
      if (this.#outgoing?.writableFinished === false) this.#stopSending()
    })
    incoming.on('error', () => reply.fail())
    this.answered(reply)
  }

  #upgraded(incoming: IncomingMessage, upstream: Duplex): void {
    // http-proxy writes the head of a 101 itself.
    for (const name of Object.keys(incoming.headers))
      if (name.startsWith(ownHeaderPrefix)) delete incoming.headers[name]
    Object.assign(incoming.headers, this.call.tunnelHeaders)
    const client = this.call.request.upgrade?.socket
    if (client !== undefined) this.tunnelled(new TunnelReply({ client, upstream, clock: this.clock }))
  }

  /** Gives up the connection to the upstream, and the rest of the body, which http-proxy would leave unread for ever. */
  #stopSending(reason?: GatewayError): void {
    this.#outgoing?.destroy(reason)
    this.#body?.destroy()
  }
}
