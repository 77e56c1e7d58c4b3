import type { Clock, Forwarder, HttpClient, PortAllocator, ProcessLauncher, Random } from '#core'
import type { FunctionLog } from '../logs/function-log.ts'
import type { ReportDesk } from '../reports/report-desk.ts'
import type { ReplicaFolders } from './function-processes.ts'
import type { SidecarProgram } from './sidecar-program.ts'

/** What replicas of all functions are run with. */
export interface ReplicaDeps {
  readonly launcher: ProcessLauncher
  readonly program: SidecarProgram
  readonly folders: ReplicaFolders
  readonly desk: ReportDesk
  readonly ports: PortAllocator
  readonly forwarder: Forwarder
  readonly http: HttpClient
  readonly clock: Clock
  readonly random: Random
}

/** How long replicas may take. Milliseconds. */
export interface ReplicaLimits {
  /** Until a function that has given no reason is ready; after that its sidecar is stopped and started again. */
  readonly startTimeoutMs: number
  /** For calls under way to finish, and then for the function to end. */
  readonly stopGraceMs: number
}

/** What belongs to one replica. */
export interface ReplicaFacts {
  readonly instance: string
  readonly log: FunctionLog
  readonly limits: ReplicaLimits
}
