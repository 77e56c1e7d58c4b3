import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'
import type { Random } from '../time/random.ts'
import type { CoordinationMetrics } from './coordination-metrics.ts'
import type { CoordinationStore } from './coordination-store.ts'
import type { Acquired, Coordinator, Lease } from './coordinator.ts'
import { slowPollMs, type LeaseWaits } from './lease-waits.ts'
import type { MemoryCoordinator } from './memory-coordinator.ts'
import type { SharedStates } from './shared-states.ts'
import type { StoreHealth } from './store-health.ts'

/** What leases of a fleet work with. */
export interface FleetLeasesDeps {
  readonly store: CoordinationStore
  readonly health: StoreHealth
  readonly states: SharedStates
  /** Decides while the store cannot be used. */
  readonly alone: MemoryCoordinator
  readonly waits: LeaseWaits
  readonly random: Random
  readonly metrics: CoordinationMetrics
  /** Milliseconds until a lease that is not renewed may be taken over. */
  readonly leaseTtlMs: number
}

/** How long somebody waits who asks while the same gateway is asking already. */
const askingMs = 50
/** How long after the end of a lease its followers ask for it: a fixed part, and a random one that spreads them. */
const takeOverDelayMs = { least: 5, spread: 30 }

/**
 * Leases that several gateways share. While the store cannot be used, the gateway leads alone: a lease it has then counts as
 * kept, and the provider's check of fences is what protects from another leader.
 */
export class FleetLeases implements Coordinator {
  readonly renewEveryMs: number
  readonly #deps: FleetLeasesDeps
  /** Leases held here that the store gave. */
  readonly #held = new Map<string, Lease>()
  /** Functions whose lease this gateway is asking for. */
  readonly #asking = new Set<string>()
  #isClosed = false

  constructor(deps: FleetLeasesDeps) {
    this.#deps = deps
    this.renewEveryMs = deps.leaseTtlMs / 3
  }

  async acquire(identity: FunctionIdentity, aboveFence = 0): Promise<Acquired> {
    const { health, alone, waits } = this.#deps
    const { key } = identity
    // The store gives a lease anew to the gateway that has it: here is who knows that it was not lost on the way.
    if (this.#held.has(key)) return this.#follow(key, slowPollMs, waits.turn)
    if (this.#asking.has(key)) return this.#follow(key, askingMs, waits.turn)
    this.#asking.add(key)
    try {
      return await health.attempt(
        key,
        () => this.#acquireShared(identity, aboveFence),
        () => alone.acquire(identity, aboveFence),
      )
    } finally {
      this.#asking.delete(key)
    }
  }

  async renew(lease: Lease): Promise<boolean> {
    const { health, store, alone, leaseTtlMs } = this.#deps
    const { fence, identity } = lease
    if (this.#isClosed) return false
    if (await alone.renew(lease)) return true
    if (this.#held.get(identity.key) !== lease) return false
    const isHeld = await health.attempt(
      identity.key,
      () => store.renew(identity.key, { fence, ttlMs: leaseTtlMs }),
      () => true,
    )
    if (!isHeld) this.#drop(lease)
    return isHeld
  }

  publish(state: FunctionState): Promise<boolean> {
    const { health, states, alone } = this.#deps
    return health.attempt(
      state.identity.key,
      () => states.write(state, { condition: 'fence', value: state.fence }),
      async () => {
        const isTaken = await alone.publish(state)
        if (isTaken) states.tellLater(state.identity)
        return isTaken
      },
    )
  }

  async release(lease: Lease): Promise<void> {
    const { health, store, alone, waits } = this.#deps
    const { fence, identity } = lease
    await alone.release(lease)
    if (!this.#drop(lease)) return
    await health.attempt(
      identity.key,
      () => store.release(identity.key, fence),
      () => waits.wake(identity.key),
    )
  }

  /** From here on no lease counts as held. */
  close(): void {
    this.#isClosed = true
    this.#held.clear()
  }

  async #acquireShared(identity: FunctionIdentity, aboveFence: number): Promise<Acquired> {
    const { store, states, waits, metrics, leaseTtlMs } = this.#deps
    const { key } = identity
    const turn = waits.turn
    const knownVersion = states.version(key)
    const answer = await store.acquire(key, { ttlMs: leaseTtlMs, knownVersion, aboveFence })
    if (answer.news !== undefined) states.learn(key, answer.news, knownVersion)
    if (answer.role === 'leader') {
      if (answer.tookOver) metrics.tookOver()
      const lease: Lease = { identity, fence: answer.fence }
      this.#held.set(key, lease)
      return { role: 'leader', lease }
    }
    return this.#follow(key, answer.remainingMs + this.#takeOverDelayMs(), turn)
  }

  #follow(key: string, atMostMs: number, since: number): Acquired {
    const until = { atMostMs: Math.min(slowPollMs, atMostMs), since }
    return { role: 'follower', again: (signal) => this.#deps.waits.wait(key, until, signal) }
  }

  #drop(lease: Lease): boolean {
    return this.#held.get(lease.identity.key) === lease && this.#held.delete(lease.identity.key)
  }

  #takeOverDelayMs(): number {
    return takeOverDelayMs.least + takeOverDelayMs.spread * this.#deps.random()
  }
}
