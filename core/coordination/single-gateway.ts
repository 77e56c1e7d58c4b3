import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import type { Coordination } from './coordination.ts'
import { MemoryCoordinator } from './memory-coordinator.ts'
import { NoEntries } from './shared-entries.ts'

/** Coordination of a gateway that has no others. */
export class SingleGateway implements Coordination {
  readonly leases: MemoryCoordinator
  readonly shared: MemoryCoordinator
  readonly election: MemoryCoordinator
  readonly entries = new NoEntries()

  constructor(deps: { clock: Clock; directory: ReplicaDirectory }) {
    this.leases = new MemoryCoordinator(deps)
    this.shared = this.leases
    this.election = this.leases
  }

  async start(): Promise<void> {}

  async [Symbol.asyncDispose](): Promise<void> {
    this.leases.close()
  }
}
