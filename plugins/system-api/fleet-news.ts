import type { Clock, FunctionIdentity, FunctionState, Logger, SharedDirectory } from '#core'

/** Longest time that an answer waits until all gateways are told, milliseconds. */
const patienceMs = 1_000

/** What telling all gateways works with. */
export interface FleetNewsDeps {
  readonly shared: SharedDirectory
  readonly clock: Clock
  readonly log: Logger
}

/**
 * Tells all gateways what a client has just changed at the provider, before the client is answered: its next call may go to any
 * of them. The change has been made whatever comes of it, so that a failure or a hang is logged and the answer goes out.
 */
export class FleetNews {
  readonly #deps: FleetNewsDeps

  constructor(deps: FleetNewsDeps) {
    this.#deps = deps
  }

  /** As `SharedDirectory.forget`, never rejects. */
  forget(identity: FunctionIdentity): Promise<void> {
    return this.#tell(identity, this.#deps.shared.forget(identity))
  }

  /** As `SharedDirectory.observe`, never rejects. */
  observe(state: FunctionState): Promise<void> {
    return this.#tell(state.identity, this.#deps.shared.observe(state))
  }

  async #tell({ key }: FunctionIdentity, telling: Promise<void>): Promise<void> {
    const { clock, log } = this.#deps
    const late = Promise.withResolvers<void>()
    const timer = clock.after(patienceMs, () => late.reject(new Error(`it took longer than ${patienceMs} ms`)))
    try {
      await Promise.race([telling, late.promise])
    } catch (error) {
      log.warn('not all gateways could be told of a change', { function: key, error })
    } finally {
      timer[Symbol.dispose]()
    }
  }
}
