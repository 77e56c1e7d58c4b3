import { token } from '../container/token.ts'
import type { Coordinator } from './coordinator.ts'
import type { Election } from './election.ts'
import type { ReadinessAnnouncer } from './readiness-announcer.ts'
import type { SharedDirectory } from './shared-directory.ts'
import type { SharedEntries } from './shared-entries.ts'

/** Everything by which gateways act together: of one process, or of a fleet. */
export interface Coordination extends AsyncDisposable {
  readonly leases: Coordinator
  readonly shared: SharedDirectory & ReadinessAnnouncer
  readonly election: Election
  readonly entries: SharedEntries
  /** Resolves when this gateway knows what the others know, or that it is alone for now. */
  start(): Promise<void>
}

/** Token of the {@link Coordination}. */
export const Coordination = token<Coordination>('Coordination')
