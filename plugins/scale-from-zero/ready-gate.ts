import {
  backoffDelayMs,
  headerValue,
  type Clock,
  type Exchange,
  type FunctionState,
  type Handler,
  type Random,
  type ReplicaDirectory,
  type Reply,
} from '#core'
import type { WakeQueue } from './wake-queue.ts'

/** What the gate works with. */
export interface ReadyGateDeps {
  readonly directory: ReplicaDirectory
  readonly queue: WakeQueue
  readonly clock: Clock
  readonly random: Random
}

/** Pauses between attempts on a function that is reported ready but has no endpoint yet. */
const staleBackoff = { firstMs: 10, maxMs: 500, factor: 2, jitterRatio: 0.5 }
/** Attempts on such a function; with the pauses above, about four seconds. */
const maxAttempts = 14

/**
 * Lets calls of ready functions through and has the others held. A call that finds out that a ready function is gone
 * (scaled to zero behind our back, or listed as ready before its endpoint is) goes round the wake path again, as long as its
 * body can be sent again.
 */
export class ReadyGate {
  readonly #deps: ReadyGateDeps

  constructor(deps: ReadyGateDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError as `WakeQueue.hold`, and what `next` throws */
  async handle(exchange: Exchange, next: Handler): Promise<Reply> {
    const { directory, queue, clock, random } = this.#deps
    const { key } = exchange.route.identity
    for (let attempt = 1; ; attempt += 1) {
      if (directory.get(key)?.phase !== 'ready') await queue.hold(exchange)
      const placed = directory.get(key)
      const reply = await next(exchange)
      if (!lacksEndpoint(reply) || !mayRepeat(exchange, attempt)) return reply
      reply.discard()
      this.#distrust(placed)
      if (attempt > 1) await clock.sleep(backoffDelayMs(staleBackoff, attempt - 1, random), exchange.signal)
    }
  }

  /** Marks an observation as outdated, unless a newer one has replaced it. */
  #distrust(placed: FunctionState | undefined): void {
    const { directory } = this.#deps
    if (placed?.phase !== 'ready' || directory.get(placed.identity.key) !== placed) return
    directory.apply({ ...placed, phase: 'waking', available: 0 })
  }
}

function mayRepeat({ request }: Exchange, attempt: number): boolean {
  return attempt < maxAttempts && request.body.replayable && !request.gone
}

/** A provider's own 503: it knows the function but has nowhere to send the call. */
function lacksEndpoint(reply: Reply): boolean {
  return reply.status === 503 && headerValue(reply.headers, 'x-openfaas-internal') !== undefined
}
