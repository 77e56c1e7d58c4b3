import {
  BufferReply,
  HttpListener,
  jsonReply,
  programVersion,
  SystemRouter,
  textReply,
  type Clock,
  type GatewayRequest,
  type Logger,
  type Reply,
  type SystemRoute,
} from '#core'
import { Refusal } from '../refusal.ts'
import type { Authorization } from './authorization.ts'
import { functionPrefix, type Invocation } from './invocation.ts'

/** As large as the gateway's own defaults. */
const headLimits = { maxHeaderBytes: 1024 * 1024, maxHeaderLines: 1000 }
/** Bodies up to this are kept until a replica has accepted them, so that another one can be tried. */
const replayBodyBytes = 64 * 1024

/** What the server answers with. */
export interface ProviderServerDeps {
  readonly authorization: Authorization
  readonly invocation: Invocation
  readonly routes: readonly SystemRoute[]
  readonly log: Logger
  readonly clock: Clock
  /** Milliseconds until the last byte of a request; 0 is no limit. */
  readonly readTimeoutMs: number
}

/** The provider's API over HTTP: calls of functions and health for everybody, the rest for who has the credentials. */
export class ProviderServer implements AsyncDisposable {
  readonly #deps: ProviderServerDeps
  readonly #router: SystemRouter
  readonly #listener: HttpListener

  constructor(deps: ProviderServerDeps) {
    this.#deps = deps
    const info = {
      provider: 'pilotlight-local',
      version: { sha: '', release: programVersion() },
      orchestration: 'processes',
    }
    const own: readonly SystemRoute[] = [
      { methods: ['GET', 'HEAD'], path: '/healthz', handle: async () => textReply(200, 'OK') },
      { methods: ['GET'], path: '/system/info', handle: async () => jsonReply(200, info) },
    ]
    this.#router = new SystemRouter([...deps.routes, ...own], [])
    this.#listener = new HttpListener({
      handle: (request) => this.#handle(request),
      readTimeoutMs: deps.readTimeoutMs,
      replayBodyBytes,
      ...headLimits,
      onFailure: (error, request) =>
        deps.log.error('the local provider failed to answer', {
          method: request.method,
          target: request.target,
          problem: String(error),
        }),
      onError: (error) => deps.log.error('a connection could not be accepted', { problem: String(error) }),
      clock: deps.clock,
    })
  }

  /** @returns the port listened on */
  listen(host: string, port: number): Promise<number> {
    return this.#listener.listen(host, port)
  }

  /** Takes no new connections and finishes the calls it has; what is left at `deadline` is cut. */
  drain(deadline: AbortSignal): Promise<void> {
    return this.#listener.drain(deadline)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
  }

  async #handle(request: GatewayRequest): Promise<Reply> {
    if (request.target.startsWith(functionPrefix)) return this.#deps.invocation.answer(request)
    const isOpen = request.target === '/healthz' || request.target.startsWith('/healthz?')
    if (!isOpen && !this.#deps.authorization.accepts(request.header('authorization'))) {
      return textReply(401, 'invalid credentials\n', { 'WWW-Authenticate': 'Basic realm="Restricted"' })
    }
    try {
      return await this.#router.handle(request)
    } catch (error) {
      if (!(error instanceof Refusal)) throw error
      const { status, message, headers } = error
      return message === '' ? new BufferReply(status, headers) : textReply(status, `${message}\n`, headers)
    }
  }
}
