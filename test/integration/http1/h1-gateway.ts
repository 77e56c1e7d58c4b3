import type { GatewayError, Reply } from '#core'
import type { ForwardCall, Forwarder } from '../../../core/http/forwarder.ts'
import type { GatewayRequest } from '../../../core/http/gateway-request.ts'
import { HttpListener } from '../../../core/http/http-listener.ts'
import { upstreamHeaders } from '../../../core/http/upstream-headers.ts'
import { H1Forwarder, type H1ForwarderOptions } from '../../../core/http1/h1-forwarder.ts'
import type { Clock } from '../../../core/time/clock.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'
import type { RawResponse } from '../../support/raw-response.ts'

/** What a test may decide about the gateway. */
export interface H1GatewayOptions extends Partial<H1ForwarderOptions> {
  readonly origins: readonly string[]
  readonly clock?: Clock
  readonly timeoutMs?: number
  /** Until when calls are held before they are forwarded. */
  readonly held?: Promise<void>
  /** Until when answers are held before they are sent. */
  readonly heldReplies?: Promise<void>
  /** How often a call is attempted before its error is the client's. Default 1. */
  readonly attempts?: number
  /** Changes a call before it is forwarded. */
  readonly change?: (call: ForwardCall) => ForwardCall
}

/** A listener in front of the engine and nothing else: every attempt's outcome can be seen. */
export class H1Gateway implements AsyncDisposable {
  readonly forwarder: H1Forwarder
  /** Calls that went past this engine. */
  readonly fellBack: ForwardCall[] = []
  /** How many calls came. */
  calls = 0
  /** The call that came last. */
  last: GatewayRequest | undefined
  /** Errors of attempts, in order. */
  readonly errors: GatewayError[] = []
  readonly #heldReplies: Promise<void> | undefined
  readonly #listener: HttpListener
  #url = ''

  private constructor({
    origins,
    clock = new SystemClock(),
    timeoutMs = 5_000,
    attempts = 1,
    held,
    heldReplies,
    change = (call) => call,
    ...sizes
  }: H1GatewayOptions) {
    this.#heldReplies = heldReplies
    const fallback: Forwarder = {
      forward: (call) => {
        this.fellBack.push(call)
        return Promise.reject(new Error('not this engine'))
      },
      [Symbol.asyncDispose]: async () => {},
    }
    const options = { maxConnectionsPerUpstream: 100, maxHeaderBytes: 64 * 1024, connectTimeoutMs: 2_000, ...sizes }
    this.forwarder = new H1Forwarder({ clock, options, fallback })
    const callOf = (request: GatewayRequest): ForwardCall =>
      change({
        request,
        origin: origins[Number(request.header('x-origin') ?? 0)] ?? '',
        path: request.target,
        headers: upstreamHeaders(request, { callId: 'id', startTime: '0', trustForwarded: true }),
        timeoutMs,
      })
    this.#listener = new HttpListener({
      handle: async (request) => {
        this.calls += 1
        this.last = request
        if (held !== undefined) await held
        return this.#forward(callOf(request), attempts)
      },
      readTimeoutMs: 10_000,
      maxHeaderBytes: 1 << 20,
      maxHeaderLines: 1_000,
      replayBodyBytes: 64 * 1024,
      onFailure: () => {},
      onError: () => {},
      clock,
    })
  }

  static async start(options: H1GatewayOptions): Promise<H1Gateway> {
    const gateway = new H1Gateway(options)
    gateway.#url = `http://127.0.0.1:${await gateway.#listener.listen('127.0.0.1', 0)}`
    return gateway
  }

  open(): Promise<RawConnection> {
    return RawConnection.open(this.#url)
  }

  /** Sends one request on a connection of its own. */
  call(method = 'GET', fields: readonly string[] = [], body = ''): Promise<RawResponse> {
    return rawRequest(this.#url, requestBytes(method, '/', fields) + body, method)
  }

  /** Body of the answer to a GET for this upstream. */
  async get(origin = 0): Promise<string> {
    const { status, body } = await this.call('GET', [`X-Origin: ${origin}`])
    return status === 200 ? body.toString() : String(status)
  }

  async #forward(call: ForwardCall, attempts: number): Promise<Reply> {
    try {
      const reply = await this.forwarder.forward(call)
      await this.#heldReplies
      return reply
    } catch (error) {
      this.errors.push(error as GatewayError) // the only kind that a forwarder throws
      if (attempts === 1) throw error
      return this.#forward(call, attempts - 1)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
    await this.forwarder[Symbol.asyncDispose]()
  }
}
