import type { Clock, GatewayRequest } from '#core/lean'

/** What is waited for. */
export interface DrainWaitDeps {
  readonly clock: Clock
  readonly isLeaving: () => boolean
  /** Resolves when the instance has been taken out of service. */
  readonly drained: Promise<void>
}

/**
 * How long a drain that has not begun is waited for, in milliseconds: the hooks of a pod that ends are run at the same time, in no order.
 * Not longer, because the hook is run as well when it is only the function that is started again.
 */
const beginsWithinMs = 10_000

/** Holds requests back until the instance is drained: the preStop hook of a function that shall not stop before. Drains nothing. */
export class DrainWait {
  readonly #deps: DrainWaitDeps
  /** Undefined when there is nothing to wait for any more. */
  #waiting: Set<() => void> | undefined = new Set()

  constructor(deps: DrainWaitDeps) {
    this.#deps = deps
    void deps.drained.then(() => {
      for (const resolve of this.#waiting ?? []) resolve()
      this.#waiting = undefined
    })
  }

  /** Resolves when the instance is drained, no drain has begun in ten seconds, or the client has left. */
  async over(request: GatewayRequest): Promise<void> {
    const waiting = this.#waiting
    if (waiting === undefined) return
    const { promise, resolve } = Promise.withResolvers<void>()
    waiting.add(resolve)
    request.onGone(resolve)
    const timer = this.#deps.clock.after(beginsWithinMs, () => {
      if (!this.#deps.isLeaving()) resolve()
    })
    await promise
    timer[Symbol.dispose]()
    waiting.delete(resolve)
  }
}
