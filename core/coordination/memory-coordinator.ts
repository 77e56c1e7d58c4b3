import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import type { Acquired, Coordinator, Lease } from './coordinator.ts'

/**
 * Coordination for a single gateway: leases live in this process, states go straight to its directory. A lease cannot be
 * lost to another process, so it does not expire; its holder must release it.
 *
 * Fences start at the wall clock, so that they go on growing across restarts and a provider that remembers the last one
 * accepts the next.
 */
export class MemoryCoordinator implements Coordinator {
  readonly #directory: ReplicaDirectory
  readonly #leases = new Map<string, Lease>()
  #lastFence: number

  constructor(deps: { clock: Clock; directory: ReplicaDirectory }) {
    this.#directory = deps.directory
    this.#lastFence = Math.floor(deps.clock.nowMs())
  }

  async acquire(identity: FunctionIdentity): Promise<Acquired> {
    if (this.#leases.has(identity.key)) return { role: 'follower' }
    this.#lastFence += 1
    const lease: Lease = { identity, fence: this.#lastFence }
    this.#leases.set(identity.key, lease)
    return { role: 'leader', lease }
  }

  async renew(lease: Lease): Promise<boolean> {
    return this.#leases.get(lease.identity.key) === lease
  }

  async publish(state: FunctionState): Promise<boolean> {
    return this.#directory.apply(state)
  }

  async release(lease: Lease): Promise<void> {
    if (this.#leases.get(lease.identity.key) === lease) this.#leases.delete(lease.identity.key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#leases.clear()
  }
}
