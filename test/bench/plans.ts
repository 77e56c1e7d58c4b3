import type { AllocationPlan } from './allocation/measure-allocation.ts'
import type { ColdPlan } from './cold-start.ts'
import type { ConnectionsPlan } from './connections/measure-connections.ts'
import type { FieldPlan } from './fleet/field.ts'
import type { FleetPlan } from './fleet/measure-fleet.ts'
import type { LargePlan } from './large/measure-large-bodies.ts'
import type { LogsPlan } from './logs/measure-logs.ts'
import type { MetricsPlan } from './metrics/measure-metrics.ts'
import type { OpenLoopPlan } from './open-loop/measure-open-loop.ts'
import type { ProfilePlan } from './profile/measure-profile.ts'
import type { HopsPlan } from './sidecar/measure-hops.ts'
import type { InstancesPlan } from './sidecar/measure-instances.ts'
import type { LocalColdPlan } from './sidecar/measure-local-cold.ts'
import type { ReadinessPlan } from './sidecar/measure-readiness.ts'
import type { SidecarPlan } from './sidecar/measure-sidecar.ts'
import type { WarmPlan } from './warm-path.ts'
import type { WorkersPlan } from './workers/measure-workers.ts'

/** How much of everything is measured. */
export interface Plans {
  readonly warm: WarmPlan
  readonly cold: ColdPlan
  readonly fleet: FleetPlan
  readonly field: FieldPlan
  readonly p99: OpenLoopPlan
  readonly large: LargePlan
  readonly connections: ConnectionsPlan
  readonly workers: WorkersPlan
  readonly logs: LogsPlan
  readonly metrics: MetricsPlan
  readonly allocation: AllocationPlan
  readonly engines: WarmPlan
  readonly profile: ProfilePlan
  readonly sidecar: SidecarPlan
  readonly hops: HopsPlan
  readonly readiness: ReadinessPlan
  readonly localCold: LocalColdPlan
  readonly instances: InstancesPlan
}

const gateways = 3
const mebibyte = 1024 * 1024
/** About 0.2 ms of hashing. */
const busyBytes = 384 * 1024
/** Enough connections for what is under way at 1,000 calls a second, and some more. */
const delayedCalls = [
  { delayMs: 100, connections: 250 },
  { delayMs: 0, connections: 50 },
]
const directoryCases = [
  { instances: 1_000, perFunction: 10 },
  { instances: 10_000, perFunction: 10 },
  { instances: 1_000, perFunction: 1_000 },
]

/** What counts. */
export const fullPlans: Plans = {
  warm: { rounds: 5, seconds: 2, connections: [1, 50, 300] },
  cold: { rounds: 10, callers: 300, readyAfterMs: [5, 50, 500] },
  fleet: {
    cold: {
      gateways,
      callers: 300,
      delays: [
        { readyAfterMs: 5, rounds: 50 },
        { readyAfterMs: 50, rounds: 50 },
        { readyAfterMs: 500, rounds: 50 },
        { readyAfterMs: 2000, rounds: 25 },
      ],
      referenceRounds: 20,
    },
    many: { gateways, rounds: 5, functions: 100, readyAfterMs: 500 },
    takeOver: { gateways, rounds: 10, callersPerGateway: 100, readyAfterMs: 3000 },
    warm: { gateways, rounds: 9, seconds: 2, connections: 32 },
  },
  field: { gateways, connections: 300, seconds: 60, readyAfterMs: 500, scaleTakesMs: 10 },
  p99: { rounds: 3, seconds: 11, connections: 50, rateRatio: 0.5, functions: 1000, scrapeEveryMs: 5000 },
  large: {
    rounds: 5,
    seconds: 2,
    connections: 8,
    bytes: mebibyte,
    huge: { rounds: 3, bytes: 100 * mebibyte, atATime: 4, restMs: 5 },
  },
  connections: {
    memory: { rounds: 3, seconds: 3, busy: 300, idle: 10_000 },
    storm: { rounds: 5, seconds: 2, connections: 50 },
  },
  workers: {
    workers: [1, 2],
    busyBytes,
    throughput: { rounds: 5, seconds: 3, connections: [50, 300] },
    distribution: { rounds: 7, seconds: 2, connections: [8, 50, 300], storm: 50 },
  },
  logs: { rounds: 7, seconds: 2, connections: 50 },
  metrics: { rounds: 11, calls: 200_000, set: { functions: 1000, codes: 5 } },
  allocation: { rounds: 5, seconds: 3, connections: 50, rateRatio: 0.5 },
  engines: { rounds: 7, seconds: 2, connections: [1, 50, 300] },
  profile: { seconds: 10, connections: 50, functions: 30 },
  sidecar: {
    starts: { rounds: 20 },
    memory: { rounds: 3, idleMs: 5_000, connections: 50, seconds: 3 },
    warm: { rounds: 7, seconds: 2, connections: [1, 50] },
  },
  hops: { rounds: 5, seconds: 11, perSecond: 1000, functions: delayedCalls },
  readiness: { gateways, callers: 5, rounds: 60, acceptAfterMs: 400 },
  localCold: { rounds: 20 },
  instances: {
    directory: { cases: directoryCases, rounds: 7 },
    heartbeats: { instances: 1000, perFunction: 10, fleets: [1, gateways], seconds: 20 },
  },
}

/** Shows that the benchmark works. */
export const quickPlans: Plans = {
  warm: { rounds: 2, seconds: 1, connections: [50] },
  cold: { rounds: 2, callers: 300, readyAfterMs: [5, 50] },
  fleet: {
    cold: {
      gateways,
      callers: 300,
      delays: [
        { readyAfterMs: 5, rounds: 3 },
        { readyAfterMs: 500, rounds: 3 },
      ],
      referenceRounds: 2,
    },
    many: { gateways, rounds: 1, functions: 100, readyAfterMs: 500 },
    takeOver: { gateways, rounds: 2, callersPerGateway: 100, readyAfterMs: 3000 },
    warm: { gateways, rounds: 2, seconds: 1, connections: 32 },
  },
  field: { gateways, connections: 300, seconds: 10, readyAfterMs: 500, scaleTakesMs: 10 },
  p99: { rounds: 1, seconds: 3, connections: 50, rateRatio: 0.5, functions: 1000, scrapeEveryMs: 1000 },
  large: {
    rounds: 1,
    seconds: 1,
    connections: 8,
    bytes: mebibyte,
    huge: { rounds: 1, bytes: 100 * mebibyte, atATime: 1, restMs: 1 },
  },
  connections: {
    memory: { rounds: 1, seconds: 1, busy: 300, idle: 10_000 },
    storm: { rounds: 1, seconds: 1, connections: 50 },
  },
  workers: {
    workers: [1, 2],
    busyBytes,
    throughput: { rounds: 1, seconds: 1, connections: [50] },
    distribution: { rounds: 1, seconds: 1, connections: [8, 300], storm: 50 },
  },
  logs: { rounds: 1, seconds: 1, connections: 50 },
  metrics: { rounds: 2, calls: 20_000, set: { functions: 1000, codes: 5 } },
  allocation: { rounds: 1, seconds: 1, connections: 50, rateRatio: 0.5 },
  engines: { rounds: 1, seconds: 1, connections: [50] },
  profile: { seconds: 2, connections: 50, functions: 10 },
  sidecar: {
    starts: { rounds: 3 },
    memory: { rounds: 1, idleMs: 1_000, connections: 50, seconds: 1 },
    warm: { rounds: 1, seconds: 1, connections: [50] },
  },
  hops: { rounds: 1, seconds: 3, perSecond: 1000, functions: delayedCalls },
  readiness: { gateways, callers: 5, rounds: 3, acceptAfterMs: 400 },
  localCold: { rounds: 3 },
  instances: {
    directory: { cases: directoryCases, rounds: 2 },
    heartbeats: { instances: 1000, perFunction: 10, fleets: [1, gateways], seconds: 3 },
  },
}
