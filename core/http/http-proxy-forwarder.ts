import type { ClientRequest, IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import httpProxy from 'http-proxy'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'
import { HttpProxyAttempt } from './http-proxy-attempt.ts'
import { Agent, secureHttp } from './node-http.ts'
import type { PeerConnection } from './peer-connection.ts'
import type { ForwarderOptions } from './undici-forwarder.ts'
import { upstreamFailed } from './upstream-errors.ts'

type ProxyServer = ReturnType<typeof httpProxy.createProxyServer>

/**
 * Forwards with http-proxy: every upgrade, and everything else where this engine is chosen. http-proxy builds the outgoing
 * request and moves the body; heads, answers, errors and time-outs are handled here, because it mends paths, drops
 * trailers, and ends the client's connection by itself.
 */
export class HttpProxyForwarder implements Forwarder {
  readonly #clock: Clock
  readonly #agent: Agent
  readonly #isSecure: boolean
  readonly #proxy: ProxyServer
  readonly #attempts = new WeakMap<IncomingMessage, HttpProxyAttempt>()

  /** @param deps.secure for an engine whose origins are all sidecars behind TLS */
  constructor(deps: { clock: Clock; options: ForwarderOptions; secure?: PeerConnection }) {
    this.#clock = deps.clock
    const pool = { keepAlive: true, maxSockets: deps.options.maxConnectionsPerUpstream, scheduling: 'lifo' } as const
    this.#isSecure = deps.secure !== undefined
    this.#agent = this.#isSecure ? new (secureHttp().Agent)({ ...pool, ...deps.secure }) : new Agent(pool)
    this.#proxy = httpProxy.createProxyServer({ selfHandleResponse: true, xfwd: false })
    const onOutgoing = (outgoing: ClientRequest, message: IncomingMessage): void => {
      this.#attempts.get(message)?.prepare(outgoing)
    }
    this.#proxy.on('proxyReq', onOutgoing)
    // Errors of an open tunnel's sockets come here, and are thrown without a listener; the sockets close by themselves.
    this.#proxy.on('error', () => {})
    this.#proxy.on('proxyReqWs', onOutgoing)
  }

  forward(call: ForwardCall): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const attempt = new HttpProxyAttempt(call, { clock: this.#clock, resolve, reject })
      attempt.begin()
      this.#send(call, attempt).catch((error: unknown) => attempt.failed(error))
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#proxy.close()
    this.#agent.destroy()
  }

  async #send(call: ForwardCall, attempt: HttpProxyAttempt): Promise<void> {
    const body = call.request.upgrade === undefined ? await call.request.body.open() : undefined
    if (attempt.givenUp !== undefined) return
    this.#attempts.set(call.request.message, attempt)
    const onError = (error: unknown): void => attempt.failed(upstreamFailed(error))
    if (call.request.upgrade === undefined) this.#web(call, attempt.bodyOf(body), onError)
    else this.#tunnel(call, attempt, onError)
  }

  #web(call: ForwardCall, body: Readable, onError: (error: unknown) => void): void {
    const target = new URL(call.origin)
    delete call.request.message.headers.expect // with it, http-proxy would not announce the outgoing request
    this.#proxy.web(call.request.message, call.request.response, { target, agent: this.#agent, buffer: body }, onError)
  }

  #tunnel(call: ForwardCall, attempt: HttpProxyAttempt, onError: (error: unknown) => void): void {
    const { socket } = call.request.upgrade ?? {}
    if (socket === undefined) throw new Error('invariant: a tunnel needs an upgrade request')
    const target = new URL(call.origin)
    const options = this.#isSecure ? { target, agent: this.#agent } : { target }
    this.#proxy.ws(call.request.message, socket, Buffer.alloc(0), options, onError)
    attempt.takeOverTunnel()
  }
}
