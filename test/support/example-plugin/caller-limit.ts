import { definePlugin, GatewayError, Meter, type Exchange, type Handler, type Reply } from 'pilotlight'
import { z } from 'zod'

/** Limits how many calls one caller may have in flight. */
export const plugin = definePlugin({
  name: 'caller-limit',
  needs: { meter: Meter },
  options: z.strictObject({
    /** Header that names the caller. Calls without it count for the address they come from. */
    header: z.string().toLowerCase().default('x-api-key'),
    /** Most calls of one caller at a time, at least 1; further ones are refused with 429. */
    maxInFlight: z.int().min(1).default(10),
  }),
  setup({ options, deps, log }) {
    const refusals = deps.meter.createCounter('caller_limit_refusals_total', {
      description: 'Calls refused because their caller had too many in flight.',
    })
    const limit = new CallerLimit({ ...options, onRefusal: () => refusals.add(1) })
    log.info('calls are limited per caller', options)
    return { invocation: { stage: 'admit', handle: (exchange, next) => limit.handle(exchange, next) } }
  },
})

class CallerLimit {
  readonly #options: { header: string; maxInFlight: number; onRefusal: () => void }
  readonly #inFlight = new Map<string, number>()

  constructor(options: { header: string; maxInFlight: number; onRefusal: () => void }) {
    this.#options = options
  }

  async handle(exchange: Exchange, next: Handler): Promise<Reply> {
    const { header, maxInFlight, onRefusal } = this.#options
    const caller = exchange.request.header(header) ?? exchange.request.remoteAddress
    const inFlight = this.#inFlight.get(caller) ?? 0
    if (inFlight >= maxInFlight) {
      onRefusal()
      throw new GatewayError('rate_limited', `${inFlight} calls are in flight already`, { retryAfterSeconds: 1 })
    }
    this.#inFlight.set(caller, inFlight + 1)
    try {
      const reply = await next(exchange)
      // A call is in flight until the last byte of its answer has left, or its client has.
      reply.onEnd(() => this.#leave(caller))
      return reply
    } catch (error) {
      this.#leave(caller)
      throw error
    }
  }

  #leave(caller: string): void {
    const left = (this.#inFlight.get(caller) ?? 1) - 1
    if (left === 0) this.#inFlight.delete(caller)
    else this.#inFlight.set(caller, left)
  }
}
