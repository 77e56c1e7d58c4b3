import type { Election, FunctionIdentity, FunctionState, ProviderApi, Random, SharedDirectory } from '#core'
import { MemoryCoordinator } from '../../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { DirectoryFeed } from '../../../../plugins/provider-client/directory-feed.ts'
import { FeedRole, feedRoleTimes } from '../../../../plugins/provider-client/feed-role.ts'
import type { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'

/** Pause between two rounds of a {@link FedGateway}. */
export const intervalMs = 5_000

/** How long the role of listing is held without being prolonged. */
export const roleTtlMs = feedRoleTimes({ intervalMs, listTimeoutMs: intervalMs }).ttlMs

/** What a test may choose. Without an election and a shared directory the gateway is alone. */
export interface FedGatewayParts {
  readonly api: ProviderApi
  readonly clock: FakeClock
  readonly election?: Election
  readonly shared?: SharedDirectory
  readonly replicas?: LocalReplicaDirectory
  readonly defaultNamespace?: string
  readonly random?: Random
}

/** As much of a gateway as the feed needs. */
export class FedGateway implements AsyncDisposable {
  readonly log = new FakeLogger()
  readonly replicas: LocalReplicaDirectory
  readonly role: FeedRole
  readonly feed: DirectoryFeed

  constructor(parts: FedGatewayParts) {
    const { clock, api } = parts
    const { log } = this
    this.replicas = parts.replicas ?? new LocalReplicaDirectory({ clock })
    const alone = new MemoryCoordinator({ clock, directory: this.replicas })
    const { election = alone, shared = alone, random = () => 0.5 } = parts
    this.role = new FeedRole({ election, clock, log }, feedRoleTimes({ intervalMs, listTimeoutMs: intervalMs }))
    this.feed = new DirectoryFeed(
      { api, replicas: this.replicas, shared, role: this.role, clock, random, log },
      { intervalMs, firstWaitMs: 1_000, defaultNamespace: parts.defaultNamespace ?? 'fn' },
    )
  }

  /** Starts to feed. */
  start(): Promise<void> {
    return this.feed.start(new AbortController().signal)
  }

  phaseOf(key: string): string | undefined {
    return this.replicas.get(key)?.phase
  }

  /** Keys of the functions that are known. */
  get known(): readonly string[] {
    return [...this.replicas.known()].map(({ identity }) => identity.key)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.feed[Symbol.asyncDispose]()
  }
}

/** An election among gateways in this process. */
export class RoundTable {
  readonly #clock: FakeClock
  #holder: object | undefined
  #untilMs = 0

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  /** Makes a place for one more gateway. */
  seat(): Election {
    const seat: Election = {
      leads: async (_role, ttlMs) => {
        const nowMs = this.#clock.monotonicMs()
        if (this.#holder !== seat && this.#holder !== undefined && nowMs < this.#untilMs) return false
        this.give(seat, ttlMs)
        return true
      },
    }
    return seat
  }

  /** Hands the role to somebody. */
  give(seat: object, forMs: number): void {
    this.#holder = seat
    this.#untilMs = this.#clock.monotonicMs() + forMs
  }

  /** Sets the role free. */
  free(): void {
    this.#holder = undefined
  }
}

/** Writes to the directories of all gateways at once. Others receive a state when it is written, as from a publication. */
export class EveryDirectory implements SharedDirectory {
  readonly #clock: FakeClock
  readonly directories: LocalReplicaDirectory[] = []

  constructor(clock: FakeClock) {
    this.#clock = clock
  }

  async observe(state: FunctionState): Promise<void> {
    for (const directory of this.directories) directory.apply({ ...state, observedAtMs: this.#clock.nowMs() })
  }

  async forget({ key }: FunctionIdentity): Promise<void> {
    for (const directory of this.directories) directory.remove(key)
  }
}
