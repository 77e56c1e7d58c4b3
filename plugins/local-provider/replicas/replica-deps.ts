import type { Clock, Forwarder, Random } from '#core'
import type { FunctionLog } from '../logs/function-log.ts'
import type { ProcessLauncher } from '../processes/process-launcher.ts'
import type { PortAllocator } from './port-allocator.ts'
import type { ReadinessProbe } from './readiness.ts'

/** What replicas of all functions are run with. */
export interface ReplicaDeps {
  readonly launcher: ProcessLauncher
  readonly ports: PortAllocator
  readonly forwarder: Forwarder
  readonly probe: ReadinessProbe
  readonly clock: Clock
  readonly random: Random
}

/** How long replicas may take. Milliseconds. */
export interface ReplicaLimits {
  /** Until a server is ready; after that its process is killed and started again. */
  readonly startTimeoutMs: number
  /** From the wish to stop until a process is killed. */
  readonly stopGraceMs: number
}

/** What belongs to one replica. */
export interface ReplicaFacts {
  readonly instance: string
  readonly log: FunctionLog
  readonly limits: ReplicaLimits
}
