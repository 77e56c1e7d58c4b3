import { randomUUID } from 'node:crypto'
import { GatewayError } from '../errors/gateway-error.ts'
import type { GatewayRequest } from '../http/gateway-request.ts'
import { headerValue } from '../http/header-list.ts'
import { rescue } from '../http/rescue.ts'
import type { FunctionRouter } from '../routing/function-router.ts'
import type { Clock } from '../time/clock.ts'
import { Exchange } from './exchange.ts'
import { textReply } from './buffer-reply.ts'
import type { Reply } from './reply.ts'
import type { Handler } from './stages.ts'

/** What the function path is made of. */
export interface FunctionPathDeps {
  readonly router: FunctionRouter
  /** The composed stages with the forward step inside. */
  readonly pipeline: Handler
  readonly clock: Clock
  /** Value of `X-Served-By`. */
  readonly servedBy: string
  readonly onFailure: (error: unknown, request: GatewayRequest) => void
}

/** Answers calls of functions: routes, numbers, runs the pipeline, and marks every answer, failures included. */
export class FunctionPath {
  readonly #deps: FunctionPathDeps

  constructor(deps: FunctionPathDeps) {
    this.#deps = deps
  }

  /** Answers one call. Never rejects: failures become replies. */
  async handle(request: GatewayRequest): Promise<Reply> {
    const { router, pipeline, clock, servedBy } = this.#deps
    const route = router.route(request.target)
    if (route === undefined) return textReply(404, '404 page not found\n')
    const exchange = new Exchange(request.header('x-call-id') || randomUUID(), request, {
      route,
      startTime: nanoseconds(clock.nowMs()),
      times: { receivedMs: clock.monotonicMs(), forwardedMs: 0, heldMs: 0 },
    })
    let reply: Reply
    try {
      reply = await pipeline(exchange)
    } catch (error) {
      if (!(error instanceof GatewayError) || error.status === 500) this.#deps.onFailure(error, request)
      reply = rescue(error)
    }
    const { headers } = reply
    if (headerValue(headers, 'x-call-id') === undefined) headers.push('X-Call-Id', exchange.id)
    if (headerValue(headers, 'x-start-time') === undefined) headers.push('X-Start-Time', exchange.startTime)
    if (headerValue(headers, 'x-served-by') === undefined) headers.push('X-Served-By', servedBy)
    return reply
  }
}

/** Writes Unix time in nanoseconds; the digits below microseconds are beyond the clock's resolution. */
function nanoseconds(nowMs: number): string {
  return `${Math.floor(nowMs * 1000)}000`
}
