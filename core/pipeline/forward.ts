import { GatewayError } from '../errors/gateway-error.ts'
import type { Forwarder } from '../http/forwarder.ts'
import { upstreamTimedOut } from '../http/upstream-errors.ts'
import { upstreamHeaders } from '../http/upstream-headers.ts'
import type { InvocationEvents } from '../telemetry/invocation-events.ts'
import type { Clock } from '../time/clock.ts'
import type { Exchange } from './exchange.ts'
import { mayRepeat, wasCut } from './may-repeat.ts'
import type { Reply } from './reply.ts'
import type { Upstream } from './upstream.ts'

/** What the innermost step of the function path works with. */
export interface ForwardStepDeps {
  readonly forwarder: Forwarder
  readonly events: InvocationEvents
  readonly clock: Clock
  /** The provider, for exchanges that no middleware placed elsewhere; undefined while there is none. */
  readonly defaultUpstream: () => Upstream | undefined
  readonly options: ForwardStepOptions
}

/** Settings of the forward step. */
export interface ForwardStepOptions {
  /** Milliseconds until the last byte of an answer, for all attempts of a call together; 0 is no limit. */
  readonly timeoutMs: number
  readonly trustForwarded: boolean
}

/**
 * Sends an exchange to its upstream: the end of the function path. An attempt that was cut before its answer began, as
 * happens when an upstream closes an idle connection just as it is used again, is repeated once where that is safe; at an instance, by
 * whoever placed it there, who knows others and must hear of it.
 */
export class ForwardStep {
  readonly #deps: ForwardStepDeps

  constructor(deps: ForwardStepDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError as {@link Forwarder}, or `provider_unavailable` without an upstream */
  async handle(exchange: Exchange): Promise<Reply> {
    const { clock, events } = this.#deps
    const { request } = exchange
    const upstream = exchange.upstream ?? this.#deps.defaultUpstream()
    if (upstream === undefined)
      throw new GatewayError('provider_unavailable', 'no provider is connected to this gateway')
    const isFirstAttempt = exchange.times.forwardedMs === 0
    exchange.times.forwardedMs = clock.monotonicMs()
    if (isFirstAttempt) events.started(exchange)
    try {
      return await this.#attempt(exchange, upstream)
    } catch (error) {
      if (upstream.kind === 'instance' || !wasCut(error) || !mayRepeat(request, error)) throw error
      return this.#attempt(exchange, upstream)
    }
  }

  #attempt(exchange: Exchange, upstream: Upstream): Promise<Reply> {
    const { request, route, id, startTime } = exchange
    const timeoutMs = this.#timeLeftMs(exchange)
    const { trustForwarded } = this.#deps.options
    const headers = upstreamHeaders(request, { callId: id, startTime, trustForwarded })
    if (upstream.headers !== undefined) headers.push(...upstream.headers)
    const call = {
      request,
      origin: upstream.origin,
      path: upstream.basePath + (upstream.kind === 'provider' ? route.target : instancePath(route.rest)),
      headers,
      timeoutMs,
      toPeer: upstream.kind === 'instance',
    }
    if (request.upgrade === undefined) return this.#deps.forwarder.forward(call)
    return this.#deps.forwarder.forward({ ...call, tunnelHeaders: { 'x-call-id': id, 'x-start-time': startTime } })
  }

  #timeLeftMs(exchange: Exchange): number {
    const { timeoutMs } = this.#deps.options
    if (timeoutMs === 0) return 0
    const leftMs = Math.ceil(timeoutMs - exchange.spentMs(this.#deps.clock.monotonicMs()))
    if (leftMs <= 0) throw upstreamTimedOut(timeoutMs)
    return leftMs
  }
}

function instancePath(rest: string): string {
  return rest.startsWith('/') ? rest : `/${rest}`
}
