import type { ClientRequest, IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../errors/gateway-error.ts'
import type { ForwardCall } from './forwarder.ts'
import { replyHeaders, replyTrailers } from './reply-headers.ts'
import { TunnelReply } from './tunnel-reply.ts'
import type { AttemptPorts } from './undici-attempt.ts'
import { clientClosed, upstreamFailed, upstreamTimedOut } from './upstream-errors.ts'
import { UpstreamReply, type UpstreamSource } from './upstream-reply.ts'

/** One attempt over http-proxy: sets the outgoing head, turns the answer into a reply, or into the reason why there is none. */
export class HttpProxyAttempt implements UpstreamSource {
  readonly #call: ForwardCall
  readonly #ports: AttemptPorts
  readonly #timer: Disposable | undefined
  #body: Readable | undefined
  #outgoing: ClientRequest | undefined
  #incoming: IncomingMessage | undefined
  #reply: UpstreamReply | undefined
  #givenUp: GatewayError | undefined

  constructor(call: ForwardCall, ports: AttemptPorts) {
    this.#call = call
    this.#ports = ports
    this.#timer =
      call.timeoutMs > 0
        ? ports.clock.after(call.timeoutMs, () => this.#giveUp(upstreamTimedOut(call.timeoutMs)))
        : undefined
    call.request.onGone(() => this.#giveUp(clientClosed()))
  }

  /** Wraps the body for http-proxy, and takes the client's trailers along, which node:http wants before the body's end. */
  bodyOf(body: Buffer | Readable | undefined): Readable {
    const stream =
      body instanceof Readable ? body : Readable.from(body === undefined ? [] : [body], { objectMode: false })
    stream.once('end', () => {
      const trailers = replyTrailers(this.#call.request.message.rawTrailers)
      if (trailers !== undefined) this.#outgoing?.addTrailers(pairs(trailers))
    })
    stream.on('error', (error) => this.failed(error))
    this.#body = stream
    return stream
  }

  /** Puts the exact path and headers on the outgoing request, before its head is sent. */
  prepare(outgoing: ClientRequest): void {
    if (this.#outgoing !== undefined) return
    this.#outgoing = outgoing
    const { request, headers, path, origin } = this.#call
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
    if (this.#givenUp !== undefined) outgoing.destroy(this.#givenUp)
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

  /** The attempt failed before, or inside, its answer. */
  failed(error: Error): void {
    this.#timer?.[Symbol.dispose]()
    this.#stopSending()
    if (this.#reply !== undefined) this.#reply.fail()
    else this.#ports.reject(this.#givenUp ?? (error instanceof GatewayError ? error : upstreamFailed(error)))
  }

  pause(): void {
    this.#incoming?.pause()
  }

  resume(): void {
    this.#incoming?.resume()
  }

  abort(): void {
    this.#giveUp(clientClosed())
  }

  #answered(incoming: IncomingMessage): void {
    this.#incoming = incoming
    const headers = replyHeaders(incoming.rawHeaders, incoming.headers, this.#call.request)
    const reply = new UpstreamReply(
      { status: incoming.statusCode ?? 502, statusText: incoming.statusMessage ?? '', headers },
      this,
    )
    this.#reply = reply
    incoming.on('data', (piece: Buffer) => reply.push(piece))
    incoming.once('end', () => reply.complete(replyTrailers(incoming.rawTrailers)))
    incoming.once('close', () => {
      this.#timer?.[Symbol.dispose]()
      if (!incoming.complete) reply.fail()
      // The upstream has answered without reading the whole body.
      if (this.#outgoing?.writableFinished === false) this.#stopSending()
    })
    incoming.on('error', () => reply.fail())
    this.#ports.resolve(reply)
  }

  #upgraded(incoming: IncomingMessage, upstream: Duplex): void {
    this.#timer?.[Symbol.dispose]()
    Object.assign(incoming.headers, this.#call.tunnelHeaders)
    const client = this.#call.request.upgrade?.socket
    if (client === undefined) return
    this.#ports.resolve(new TunnelReply(client, upstream))
  }

  /** Gives up the connection to the upstream, and the rest of the body, which http-proxy would leave unread for ever. */
  #stopSending(reason?: GatewayError): void {
    this.#outgoing?.destroy(reason)
    this.#body?.destroy()
  }

  #giveUp(reason: GatewayError): void {
    if (this.#givenUp !== undefined) return
    this.#givenUp = reason
    this.#incoming?.destroy()
    this.#stopSending(reason)
    if (this.#reply === undefined) this.#ports.reject(reason)
  }
}

function pairs(list: readonly string[]): [string, string][] {
  const result: [string, string][] = []
  for (let i = 0; i < list.length; i += 2) result.push([list[i] ?? '', list[i + 1] ?? ''])
  return result
}
