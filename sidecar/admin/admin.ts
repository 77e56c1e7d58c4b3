import {
  BufferReply,
  type GatewayRequest,
  type InstanceLoad,
  type InstancePhase,
  jsonReply,
  type Reply,
} from '#core/lean'
import type { DrainWait } from './drain-wait.ts'

/** What the admin port shows, and does. */
export interface AdminDeps {
  readonly phase: () => InstancePhase
  /** Why the function does not accept calls; empty when nothing is known. */
  readonly reason: () => string
  readonly load: () => InstanceLoad
  readonly metrics: { reply(): Promise<Reply> }
  /** Takes the instance out of service. Resolves when it is. */
  readonly drain: () => Promise<void>
  readonly drainWait: DrainWait
  /** Whether `/drain` is there. */
  readonly hasDrainPath: boolean
}

type Page = (admin: AdminDeps) => Reply | Promise<Reply>

const plainText = { 'Content-Type': 'text/plain; charset=utf-8' }
const pages: ReadonlyMap<string, Page> = new Map<string, Page>([
  ['/healthz', () => text(200, 'OK')],
  ['/readyz', readiness],
  ['/load', ({ load }) => jsonReply(200, load())],
  ['/metrics', ({ metrics }) => metrics.reply()],
])

/**
 * Answers on the admin port: `/healthz` (this process lives), `/readyz` (the instance takes calls), `/load`, `/metrics`; and
 * `POST /drain`, for programs on this machine only, which is answered when the instance is drained. `GET /drain` only waits for that: it is
 * the preStop hook of a function in the same pod, and is asked by the node's agent.
 */
export class Admin {
  readonly #deps: AdminDeps

  constructor(deps: AdminDeps) {
    this.#deps = deps
  }

  /** Answers one request. */
  async handle(request: GatewayRequest): Promise<Reply> {
    const path = request.target.split('?', 1)[0] ?? ''
    if (path === '/drain' && this.#deps.hasDrainPath) return this.#drain(request)
    const page = pages.get(path)
    if (page === undefined) return text(404, '404 page not found\n')
    if (request.method !== 'GET' && request.method !== 'HEAD') return new BufferReply(405, { Allow: 'GET, HEAD' })
    return page(this.#deps)
  }

  async #drain(request: GatewayRequest): Promise<Reply> {
    if (request.method === 'GET') await this.#deps.drainWait.over(request)
    else if (request.method !== 'POST') return new BufferReply(405, { Allow: 'GET, POST' })
    else if (!isLoopback(request.remoteAddress)) return text(403, 'only from within the instance\n')
    // A browser on this machine is on loopback, too, and posts what any page tells it to; it always names the page's origin.
    else if (request.header('origin') !== undefined) return text(403, 'not for pages in a browser\n')
    else await this.#deps.drain()
    return text(200, 'drained\n')
  }
}

function readiness({ phase, reason }: AdminDeps): Reply {
  const now = phase()
  if (now === 'ready') return text(200, 'OK')
  if (now === 'leaving') return text(503, 'the instance is leaving\n')
  return text(503, `the function does not accept calls${reason() === '' ? '' : `: ${reason()}`}\n`)
}

function text(status: number, body: string): Reply {
  return new BufferReply(status, plainText, body)
}

function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
