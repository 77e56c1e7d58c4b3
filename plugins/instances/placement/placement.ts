import type { Exchange, Handler, Reply } from '#core'
import type { InstancePools } from './instance-pools.ts'
import { PlacedCall, type PlacedCallDeps } from './placed-call.ts'

/** The layer of the function path: calls of functions with known instances go straight to one of them, all others on their way. */
export class Placement {
  readonly #pools: InstancePools
  readonly #deps: PlacedCallDeps

  constructor(deps: PlacedCallDeps & { readonly pools: InstancePools }) {
    this.#pools = deps.pools
    this.#deps = deps
  }

  /** @throws GatewayError as `PlacedCall.run`, and what `next` throws */
  handle(exchange: Exchange, next: Handler): Promise<Reply> {
    const pool = this.#pools.of(exchange.route.identity.key)
    if (pool !== undefined) return new PlacedCall(exchange, next, { pool, deps: this.#deps }).run()
    this.#deps.metrics.toProvider += 1
    return next(exchange)
  }
}
