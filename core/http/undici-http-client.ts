import { Agent, Pool, request as send, type Dispatcher } from 'undici'
import type { Clock } from '../time/clock.ts'
import { headerValue } from './header-list.ts'
import type { HttpClient, HttpClientRequest, HttpClientResponse } from './http-client.ts'
import type { OutgoingProxy } from './outgoing-proxy.ts'
import { peerConnection } from './peer-connection.ts'
import type { PeerIdentity } from './peer-identity.ts'
import { createProxiedPool } from './proxied-pool.ts'

const defaultMaxTextBytes = 32 * 1024 * 1024

/** What the client works with. */
export interface UndiciHttpClientDeps {
  readonly clock: Clock
  readonly connectTimeoutMs: number
  readonly proxy?: OutgoingProxy | undefined
  /** By which sidecars know this gateway. */
  readonly identity?: PeerIdentity | undefined
}

/** The gateway's own client over undici, with pools apart from those that carry clients' traffic. */
export class UndiciHttpClient implements HttpClient, AsyncDisposable {
  readonly #clock: Clock
  readonly #agent: Agent
  /** For sidecars with TLS, and for all that are called without a forward proxy. */
  readonly #peers: PeerAgents | undefined
  readonly #direct: Agent

  constructor(deps: UndiciHttpClientDeps) {
    const { clock, connectTimeoutMs, proxy, identity } = deps
    this.#clock = clock
    const pool: Pool.Options = { connections: 64, headersTimeout: 0, bodyTimeout: 0, allowH2: false }
    const options = { ...pool, connectTimeout: connectTimeoutMs }
    if (identity !== undefined) this.#peers = new PeerAgents(options, identity)
    this.#direct = new Agent(options)
    if (proxy === undefined) {
      this.#agent = this.#direct
      return
    }
    const factory = (origin: string | URL): Dispatcher => {
      const target = new URL(origin)
      const through = proxy.proxyFor(target)
      if (through === undefined) return new Pool(target.origin, options)
      return createProxiedPool(through, target, { pool, connectTimeoutMs })
    }
    this.#agent = new Agent({ ...options, factory })
  }

  async request(call: HttpClientRequest): Promise<HttpClientResponse> {
    const deadline = new CallDeadline(this.#clock, call)
    try {
      const answer = await send(call.url, {
        dispatcher: this.#agentFor(call),
        method: call.method,
        headers: call.headers ?? {},
        body: (call.body as Dispatcher.DispatchOptions['body']) ?? null, // async iterables are accepted, though not typed
        signal: deadline.signal,
        responseHeaders: 'raw',
      })
      deadline.pause()
      return new UndiciHttpClientResponse(answer, deadline)
    } catch (error) {
      deadline.settle()
      throw error
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#direct, this.#agent, this.#peers].map((one) => one?.destroy()))
  }

  #agentFor({ toPeer, url }: HttpClientRequest): Agent {
    if (toPeer !== true) return this.#agent
    return (url.protocol === 'https:' ? this.#peers?.current : undefined) ?? this.#direct
  }
}

/** Agents with the certificates of the moment; those with earlier ones end with their calls. */
class PeerAgents {
  readonly #agents = new Set<Agent>()
  current: Agent

  constructor(options: Agent.Options & { readonly connectTimeout: number }, identity: PeerIdentity) {
    const create = (): Agent => {
      const { connectTimeout: timeout, ...pool } = options
      const agent = new Agent({ ...pool, connect: { timeout, ...peerConnection(identity.current) } })
      this.#agents.add(agent)
      return agent
    }
    this.current = create()
    identity.onChange(() => {
      const before = this.current
      this.current = create()
      void before.close().then(() => this.#agents.delete(before))
    })
  }

  async destroy(): Promise<void> {
    await Promise.all([...this.#agents].map((one) => one.destroy()))
  }
}

/** Joins a caller's signal and a time limit that runs only while somebody waits. */
class CallDeadline {
  readonly #controller = new AbortController()
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #startedMs: number
  readonly #callerSignal: AbortSignal | undefined
  readonly #onAbort = (): void => this.#controller.abort(this.#callerSignal?.reason)
  #timer: Disposable | undefined

  constructor(clock: Clock, call: HttpClientRequest) {
    this.#clock = clock
    this.#timeoutMs = call.timeoutMs
    this.#startedMs = clock.monotonicMs()
    this.#callerSignal = call.signal
    if (call.signal?.aborted === true) this.#controller.abort(call.signal.reason)
    call.signal?.addEventListener('abort', this.#onAbort, { once: true })
    this.run()
  }

  get signal(): AbortSignal {
    return this.#controller.signal
  }

  run(): void {
    if (this.#timeoutMs === 0) return
    const leftMs = Math.max(0, this.#startedMs + this.#timeoutMs - this.#clock.monotonicMs())
    this.#timer = this.#clock.after(leftMs, () => {
      this.#controller.abort(new Error(`no complete answer within ${this.#timeoutMs} ms`))
    })
  }

  pause(): void {
    this.#timer?.[Symbol.dispose]()
  }

  settle(): void {
    this.pause()
    this.#callerSignal?.removeEventListener('abort', this.#onAbort)
  }
}

class UndiciHttpClientResponse implements HttpClientResponse {
  readonly status: number
  readonly rawHeaders: readonly string[]
  readonly #body: Dispatcher.ResponseData['body']
  readonly #deadline: CallDeadline

  constructor(answer: Dispatcher.ResponseData, deadline: CallDeadline) {
    this.status = answer.statusCode
    this.rawHeaders = answer.headers as unknown as string[] // what `responseHeaders: 'raw'` asks for
    this.#body = answer.body
    this.#deadline = deadline
    this.#body.once('close', () => deadline.settle())
  }

  get body(): AsyncIterable<Uint8Array> {
    return this.#body
  }

  header(name: string): string | undefined {
    return headerValue(this.rawHeaders, name)
  }

  async text(maxBytes: number = defaultMaxTextBytes): Promise<string> {
    this.#deadline.run()
    try {
      const pieces: Uint8Array[] = []
      let size = 0
      for await (const piece of this.body) {
        size += piece.byteLength
        if (size > maxBytes) throw new Error(`the answer is longer than ${maxBytes} bytes`)
        pieces.push(piece)
      }
      return Buffer.concat(pieces).toString('utf8')
    } finally {
      this.#deadline.settle()
    }
  }

  discard(): void {
    this.#deadline.settle()
    this.#body.on('error', () => {})
    this.#body.destroy()
  }
}
