import { LRUCache } from 'lru-cache'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import { readyState, type FunctionState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import type { Acquired, Coordinator, Lease } from './coordinator.ts'
import type { Election } from './election.ts'
import { LeaseWaits, slowPollMs } from './lease-waits.ts'
import type { ReadinessAnnouncer } from './readiness-announcer.ts'
import type { SharedDirectory } from './shared-directory.ts'

/** Functions whose last fence is remembered. */
const maxFences = 10_000

/**
 * Coordination for a single gateway: leases live in this process, states go straight to its directory. A lease cannot be
 * lost to another process, so it does not expire; its holder must release it.
 *
 * Fences are microseconds of the wall clock at least, so that they go on growing across restarts, and when a fleet's gateway
 * goes on alone: whoever remembers the last one accepts the next.
 */
export class MemoryCoordinator implements Coordinator, SharedDirectory, ReadinessAnnouncer, Election {
  readonly renewEveryMs: number = Infinity
  readonly #clock: Clock
  readonly #directory: ReplicaDirectory
  readonly #leases = new Map<string, Lease>()
  readonly #waits: LeaseWaits
  /** The last fence of each function that was woken lately; of the others, time has passed since. */
  readonly #fences = new LRUCache<string, number>({ max: maxFences })

  constructor(deps: { clock: Clock; directory: ReplicaDirectory }) {
    this.#clock = deps.clock
    this.#directory = deps.directory
    this.#waits = new LeaseWaits(deps.clock)
  }

  async acquire(identity: FunctionIdentity, aboveFence = 0): Promise<Acquired> {
    const { key } = identity
    if (this.#leases.has(key)) {
      const since = this.#waits.turn
      return { role: 'follower', again: (signal) => this.#waits.wait(key, { atMostMs: slowPollMs, since }, signal) }
    }
    const known = Math.max(this.#directory.get(key)?.fence ?? 0, this.#fences.get(key) ?? 0)
    const fence = Math.max(known, aboveFence, Math.floor(this.#clock.nowMs() * 1000)) + 1
    this.#fences.set(key, fence)
    const lease: Lease = { identity, fence }
    this.#leases.set(key, lease)
    return { role: 'leader', lease }
  }

  async renew(lease: Lease): Promise<boolean> {
    return this.#leases.get(lease.identity.key) === lease
  }

  async publish(state: FunctionState): Promise<boolean> {
    const held = this.#directory.get(state.identity.key)
    if (held !== undefined && state.fence !== 0 && state.fence < held.fence) return false
    this.#directory.apply(state)
    return true
  }

  async release(lease: Lease): Promise<void> {
    const { key } = lease.identity
    if (this.#leases.get(key) !== lease) return
    this.#leases.delete(key)
    this.#waits.wake(key)
  }

  async observe(state: FunctionState): Promise<void> {
    this.#directory.apply({ ...state, fence: 0 })
  }

  async forget({ key }: FunctionIdentity): Promise<void> {
    this.#directory.remove(key)
  }

  async announceReady(identity: FunctionIdentity, available = 1): Promise<void> {
    const held = this.#directory.get(identity.key)
    this.#directory.apply(readyState(identity, held, { available, observedAtMs: this.#clock.nowMs() }))
  }

  async leads(): Promise<boolean> {
    return true
  }

  /** From here on no lease is held. */
  close(): void {
    this.#leases.clear()
    this.#waits.wakeAll()
  }
}
