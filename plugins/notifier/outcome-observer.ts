import {
  GatewayError,
  type Clock,
  type Exchange,
  type Handler,
  type InvocationEvents,
  type InvocationOutcome,
  type Reply,
  type ReplyEnd,
} from '#core'

const clientClosed = 499

/**
 * Announces how every call ended, once: with a whole answer (`completed`, failures that the gateway answers included), or not
 * (`aborted`). Changes nothing on the way.
 */
export class OutcomeObserver {
  readonly #events: InvocationEvents
  readonly #clock: Clock

  constructor(deps: { events: InvocationEvents; clock: Clock }) {
    this.#events = deps.events
    this.#clock = deps.clock
  }

  /** Passes the exchange on and watches its end. */
  async handle(exchange: Exchange, next: Handler): Promise<Reply> {
    let reply: Reply
    try {
      reply = await next(exchange)
    } catch (error) {
      this.#failed(exchange, error)
      throw error
    }
    reply.onEnd((end, bytesSent) => this.#ended(exchange, reply.status, { end, bytesSent }))
    return reply
  }

  /** A failure becomes an answer outside of this layer, which no longer sees its end: it counts as sent. */
  #failed(exchange: Exchange, error: unknown): void {
    const { status } = GatewayError.from(error)
    if (exchange.request.gone || status === clientClosed)
      this.#ended(exchange, status, { end: 'client_gone', bytesSent: 0 })
    else this.#ended(exchange, status, { end: 'complete', bytesSent: 0 })
  }

  #ended(exchange: Exchange, status: number, { end, bytesSent }: { end: ReplyEnd; bytesSent: number }): void {
    const { receivedMs, forwardedMs } = exchange.times
    const nowMs = this.#clock.monotonicMs()
    const outcome: InvocationOutcome = {
      status: end === 'client_gone' ? clientClosed : status,
      bytesSent,
      upstreamMs: forwardedMs === 0 ? 0 : nowMs - forwardedMs,
      totalMs: nowMs - receivedMs,
    }
    if (end === 'complete') this.#events.completed(exchange, outcome)
    else this.#events.aborted(exchange, outcome)
  }
}
