import type { IncomingMessage, Server, ServerOptions } from 'node:http'
import { Server as TcpServer, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import { GatewayRequest, type UpgradeRequest } from './gateway-request.ts'
import { createServer, ServerResponse } from './node-http.ts'
import { refusal } from './request-guard.ts'
import { rescue } from './rescue.ts'
import { answerParserError } from './parser-errors.ts'

/** Answers one request. What it throws is turned into a response by core/http/rescue.ts. */
export type RequestHandler = (request: GatewayRequest) => Promise<Reply>

/** Limits and time-outs of a listener. */
export interface HttpListenerOptions {
  /** Answers every request that passed the listener's checks, upgrades included. */
  readonly handle: RequestHandler
  /** Milliseconds from the first byte of a request to the last of its body; 0 is no limit. */
  readonly readTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxHeaderLines: number
  readonly replayBodyBytes: number
  /** Most connections at a time; further ones are closed as they come. Default: no limit. */
  readonly maxConnections?: number
  /** Told of failures that are no client's fault. */
  readonly onFailure: (error: unknown, request: GatewayRequest) => void
  /** Told when connections could not be accepted; the listener goes on. */
  readonly onError: (error: Error) => void
  readonly clock: Clock
  /** Makes the server; default: one without TLS. */
  readonly createServer?: (settings: ServerOptions) => Server
}

/** What a request asks for beyond an answer. */
interface Asked {
  readonly expectsContinue?: boolean
  readonly upgrade?: UpgradeRequest
}

/** How often connections are checked for requests that take too long, in milliseconds. */
const timeoutCheckMs = 1000
/** When an idle connection is first asked whether its peer is still there, in milliseconds: tunnels and streams may be silent for days. */
const keepAliveProbeMs = 30_000
/** How long after the answer to a refused upgrade its client may take to read that and to close, in milliseconds. */
const refusedUpgradeMs = 1_000
/** How long a drain leaves idle connections open: the request of a client that has just connected may still be on its way. */
const lingerMs = 300

/**
 * Accepts connections and hands requests to a handler. Refuses what could be read in two ways: node's strict parser and
 * `request-guard.ts` answer 400 and close. Every request gets exactly one answer, or its connection is cut.
 */
export class HttpListener implements AsyncDisposable {
  readonly #options: HttpListenerOptions
  readonly #server: Server
  readonly #tunnels = new Set<Duplex>()
  /** Connections whose bytes were refused: whatever follows on them may be smuggled. */
  readonly #refused = new WeakSet<Duplex>()
  #isLeaving = false
  #closed: Promise<void> | undefined

  constructor(options: HttpListenerOptions) {
    this.#options = options
    const settings = {
      maxHeaderSize: options.maxHeaderBytes,
      requestTimeout: options.readTimeoutMs,
      headersTimeout: options.readTimeoutMs,
      keepAliveTimeout: options.readTimeoutMs,
      connectionsCheckingInterval: timeoutCheckMs,
      requireHostHeader: false, // the guard answers with a body and closes
      shouldUpgradeCallback: isWebSocket,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: keepAliveProbeMs,
    }
    this.#server = (options.createServer ?? createServer)(settings)
    this.#server.maxHeadersCount = options.maxHeaderLines + 1
    if (options.maxConnections !== undefined) this.#server.maxConnections = options.maxConnections
    this.#server.on('request', (message, response) => this.#accept(message, response))
    this.#server.on('checkContinue', (message, response) => this.#accept(message, response, { expectsContinue: true }))
    this.#server.on('checkExpectation', (message, response) => this.#accept(message, response))
    this.#server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) =>
      this.#upgrade(message, socket, head),
    )
    this.#server.on('clientError', answerParserError)
  }

  /** @returns the port listened on */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject)
        this.#server.on('error', this.#options.onError)
        resolve((this.#server.address() as AddressInfo).port) // a TCP server's address is always of this type
      })
    })
  }

  /** From now on every answer asks its client to take another connection. Everything is served as before. */
  announceLeaving(): void {
    this.#isLeaving = true
  }

  /**
   * Stops accepting; resolves when every request and tunnel is finished. Connections without a request close after 300 ms. What
   * is left when `deadline` aborts is cut; of several drains, the earliest deadline counts.
   */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#isLeaving = true
    // Connections that become idle from now on close at once.
    this.#server.keepAliveTimeout = 1
    this.#server.keepAliveTimeoutBuffer = 0
    const cut = (): void => {
      this.#server.closeAllConnections()
      for (const socket of this.#tunnels) socket.destroy()
    }
    this.#closed ??= this.#close()
    if (deadline.aborted) cut()
    else deadline.addEventListener('abort', cut, { once: true })
    await this.#closed
    while (this.#tunnels.size > 0) {
      await new Promise((resolve) => [...this.#tunnels][0]?.once('close', resolve))
    }
    deadline.removeEventListener('abort', cut)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.drain(AbortSignal.abort())
  }

  /** Resolves when the last connection is closed. Requests are held to their time limit until then. */
  async #close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise<void>((resolve) => {
      // node:http's own close would cut idle connections at once, and the requests that are on their way on them.
      TcpServer.prototype.close.call(this.#server, () => resolve())
    })
    const linger = this.#options.clock.after(lingerMs, () => this.#server.closeIdleConnections())
    await closed
    linger[Symbol.dispose]()
    this.#server.close() // ends node:http's check of time limits
  }

  #accept(message: IncomingMessage, response: ServerResponse, { expectsContinue = false, upgrade }: Asked = {}): void {
    if (this.#refused.has(message.socket)) return
    const { replayBodyBytes, maxHeaderLines } = this.#options
    const request = new GatewayRequest({ message, response, upgrade, replayBodyBytes, expectsContinue })
    const refused = refusal(message, maxHeaderLines)
    if (refused !== undefined) {
      this.#refused.add(message.socket)
      response.shouldKeepAlive = false
      this.#send(refused, response)
      return
    }
    this.#options.handle(request).then(
      (reply) => this.#send(reply, response, request),
      (error: unknown) => this.#fail(error, request),
    )
  }

  #upgrade(message: IncomingMessage, socket: Duplex, head: Buffer): void {
    const response = new ServerResponse(message)
    response.shouldKeepAlive = false
    response.assignSocket(socket as Socket) // node:http hands out the TCP socket of the connection
    response.once('finish', () => this.#closeSoon(socket))
    if (head.byteLength > 0) socket.unshift(head)
    this.#tunnels.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#tunnels.delete(socket))
    if (!isWebSocket(message)) {
      // Only a node without shouldUpgradeCallback (before 22.21 and 24.9) comes here: it has given up reading HTTP.
      this.#send(rescue(new GatewayError('not_supported', 'no upgrade but to WebSocket is supported')), response)
      return
    }
    this.#accept(message, response, { upgrade: { socket } })
  }

  /** Ends a connection that HTTP has no say in any more. At once, the reset by unread bytes would take the answer from the client. */
  #closeSoon(socket: Duplex): void {
    const timer = this.#options.clock.after(refusedUpgradeMs, () => socket.destroy())
    socket.once('close', () => timer[Symbol.dispose]())
    socket.end()
    socket.resume() // unread, the client's own end would never be seen
  }

  #send(reply: Reply, response: ServerResponse, request?: GatewayRequest): void {
    if (response.destroyed || request?.gone === true) {
      reply.discard()
      return
    }
    if (this.#isLeaving) response.shouldKeepAlive = false
    try {
      reply.sendTo(response)
    } catch (error) {
      reply.discard()
      if (request !== undefined) this.#options.onFailure(error, request)
      answerUnsendable(error, response)
    }
  }

  #fail(error: unknown, request: GatewayRequest): void {
    const known = error instanceof GatewayError
    if (!known || error.status === 500) this.#options.onFailure(error, request)
    this.#send(rescue(error), request.response, request)
  }
}

/** Answers in place of a reply whose head node:http refused: a plugin has put something into it that is no header. */
function answerUnsendable(error: unknown, response: ServerResponse): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  response.statusMessage = ''
  response.shouldKeepAlive = false
  rescue(error).sendTo(response)
}

/** Other protocols (h2c, for one) are offers that a server may ignore (RFC 9110 section 7.8): the request goes on as it is. */
function isWebSocket(message: IncomingMessage): boolean {
  return message.headers.upgrade?.toLowerCase() === 'websocket' && message.method === 'GET'
}
