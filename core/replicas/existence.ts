import type { SharedDirectory } from '../coordination/shared-directory.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { ServiceQuery } from '../provider/service-query.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { ReplicaDirectory } from './replica-directory.ts'
import { stateFromStatus } from './state-from-status.ts'

/** What finding out about functions works with. */
export interface ExistenceDeps {
  readonly query: ServiceQuery
  readonly replicas: ReplicaDirectory
  readonly shared: SharedDirectory
  readonly clock: Clock
  readonly log: Logger
  /** Names that the provider is asked about at a time. */
  readonly maxChecks: number
}

/**
 * Knows which functions exist: those in the directory, and those that the provider confirms. A name is asked about once for all
 * who ask at the same time, and takes no memory after that unless it is a function's.
 */
export class Existence {
  readonly #deps: ExistenceDeps
  readonly #asking = new Map<string, Promise<boolean>>()

  constructor(deps: ExistenceDeps) {
    this.#deps = deps
  }

  /**
   * Whether there is such a function; the directory knows it then.
   * @throws GatewayError `overloaded` when too many names are being asked about, `provider_unavailable`
   */
  async confirm(identity: FunctionIdentity): Promise<boolean> {
    const { replicas, maxChecks } = this.#deps
    const { key } = identity
    if (replicas.knows(key)) return true
    const asked = this.#asking.get(key)
    if (asked !== undefined) return asked
    if (this.#asking.size >= maxChecks) {
      const message = `the provider is being asked about ${maxChecks} other unknown functions; try again`
      throw new GatewayError('overloaded', message)
    }
    const asking = this.#ask(identity).finally(() => this.#asking.delete(key))
    this.#asking.set(key, asking)
    return asking
  }

  /** Whoever asked first may leave: others wait for the same answer, which has its own time limit. */
  async #ask(identity: FunctionIdentity): Promise<boolean> {
    const { query, replicas, shared, clock, log } = this.#deps
    const observedAtMs = clock.nowMs()
    const status = await query.status(identity)
    if (status === undefined) return false
    // What was learnt meanwhile is newer.
    if (!replicas.knows(identity.key)) await shared.observe(stateFromStatus(identity, status, { observedAtMs, log }))
    return true
  }
}
