import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import type { Coordination } from './coordination.ts'
import type { CoordinationMetrics } from './coordination-metrics.ts'
import type { CoordinationStore, StoreChange } from './coordination-store.ts'
import { FleetDirectory } from './fleet-directory.ts'
import { FleetElection } from './fleet-election.ts'
import { FleetEntries } from './fleet-entries.ts'
import { FleetLeases } from './fleet-leases.ts'
import { LeaseWaits } from './lease-waits.ts'
import { MemoryCoordinator } from './memory-coordinator.ts'
import { SharedStates } from './shared-states.ts'
import { StoreHealth } from './store-health.ts'

/** What a fleet's coordination works with. */
export interface FleetDeps {
  /** Closed with the fleet. */
  readonly store: CoordinationStore
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: CoordinationMetrics
  /** Milliseconds until a lease that is not renewed may be taken over. */
  readonly leaseTtlMs: number
}

/** How long a start waits for the store; the gateway begins alone after that. */
const startPatienceMs = 1_000
/** Pause between two readings of all records: what a lost message or a lost answer left behind ends with it. */
const syncEveryMs = 60_000

/** Coordination of several gateways that share a store; of a single one whenever the store cannot be used. */
export class Fleet implements Coordination {
  readonly leases: FleetLeases
  readonly shared: FleetDirectory
  readonly election: FleetElection
  readonly entries: FleetEntries
  readonly #deps: FleetDeps
  readonly #health: StoreHealth
  readonly #states: SharedStates
  readonly #waits: LeaseWaits
  readonly #alone: MemoryCoordinator
  readonly #connected = Promise.withResolvers<void>()
  #nextSync: Disposable | undefined
  /** Whether the subscription has begun anew since the records were read. */
  #hasMissed = false
  #isClosed = false

  constructor(deps: FleetDeps) {
    this.#deps = deps
    this.#states = new SharedStates(deps)
    this.#waits = new LeaseWaits(deps.clock)
    this.#alone = new MemoryCoordinator(deps)
    this.#health = new StoreHealth({
      ...deps,
      recover: () => this.#recover(),
      onChange: () => {
        this.#waits.wakeAll()
        this.entries.turned()
      },
    })
    const parts = { ...deps, health: this.#health, states: this.#states, waits: this.#waits, alone: this.#alone }
    this.leases = new FleetLeases(parts)
    this.shared = new FleetDirectory(parts)
    this.election = new FleetElection(parts)
    this.entries = new FleetEntries({ ...parts, sync: () => this.#sync() })
  }

  async start(): Promise<void> {
    this.#deps.store.open(
      (change) => this.#hear(change),
      () => this.#subscribed(),
    )
    await this.#health.start(startPatienceMs, this.#connected.promise)
    this.#syncLater()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#nextSync?.[Symbol.dispose]()
    this.leases.close()
    this.#waits.wakeAll()
    await this.#health[Symbol.asyncDispose]()
    if (!this.#health.isAlone) await this.election.resign()
    this.#alone.close()
    await this.#deps.store[Symbol.asyncDispose]()
  }

  #hear(change: StoreChange): void {
    switch (change.kind) {
      case 'released':
        return this.#waits.wake(change.key)
      case 'state':
      case 'gone':
        return this.#states.hear(change)
      case 'entry':
      case 'renewed':
      case 'entry_gone':
      case 'told':
        return this.entries.hear(change)
    }
  }

  /** Messages may have been missed before. */
  #subscribed(): void {
    this.#hasMissed = true
    this.#connected.resolve()
    if (!this.#health.isAlone) void this.#sync()
  }

  async #recover(): Promise<void> {
    do {
      this.#hasMissed = false
      await this.#states.sync()
      await this.entries.recover()
    } while (this.#hasMissed)
  }

  #syncLater(): void {
    if (this.#isClosed) return
    const pauseMs = syncEveryMs * (1 - 0.1 * this.#deps.random())
    this.#nextSync = this.#deps.clock.after(pauseMs, () => void this.#sync().finally(() => this.#syncLater()))
  }

  /** Never rejects. */
  async #sync(): Promise<void> {
    try {
      await this.#health.attempt(
        undefined,
        () => this.#recover(),
        () => {},
      )
    } catch (error) {
      this.#deps.log.error('the records of functions could not be read', { err: error })
    }
  }
}
