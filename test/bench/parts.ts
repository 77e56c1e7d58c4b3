import { measureAllocation } from './allocation/measure-allocation.ts'
import { measureColdStarts } from './cold-start.ts'
import { measureConnections } from './connections/measure-connections.ts'
import { measureEngines } from './engines/measure-engines.ts'
import { fieldNote, measureField } from './fleet/field.ts'
import { hasRedis, measureFleet, sharingNote } from './fleet/measure-fleet.ts'
import { measureLargeBodies } from './large/measure-large-bodies.ts'
import { measureLogs } from './logs/measure-logs.ts'
import { measureOpenLoop } from './open-loop/measure-open-loop.ts'
import { measureMetrics } from './metrics/measure-metrics.ts'
import { type Part, PartLeftOut } from './part.ts'
import { pinThisProcess, unpinThisProcess } from './pinning.ts'
import { measureProfile } from './profile/measure-profile.ts'
import { measureWarm } from './measure-warm.ts'
import { measureHops } from './sidecar/measure-hops.ts'
import { measureInstances } from './sidecar/measure-instances.ts'
import { measureLocalCold } from './sidecar/measure-local-cold.ts'
import { measureReadiness } from './sidecar/measure-readiness.ts'
import { measureSidecar } from './sidecar/measure-sidecar.ts'
import { measureWorkers } from './workers/measure-workers.ts'

/** All parts, in the order in which they run. */
export const parts: readonly Part[] = [
  { name: 'warm', isUsual: true, run: (plans, say) => pinned(() => measureWarm(plans.warm, say)) },
  {
    name: 'cold',
    isUsual: true,
    run: ({ cold }, say) => {
      say(`\n## Cold start: ${cold.callers} callers at zero, ${cold.rounds} interleaved rounds\n`)
      return pinned(async () => say(await measureColdStarts(cold)))
    },
  },
  {
    name: 'fleet',
    isUsual: true,
    run: ({ fleet }, say) => {
      say(`\n## Fleet: ${fleet.cold.gateways} gateways share a Redis; ${sharingNote}\n`)
      return withRedis(() => measureFleet(fleet, say))
    },
  },
  { name: 'p99', isUsual: true, run: (plans, say) => pinned(() => measureOpenLoop(plans.p99, say)) },
  {
    name: 'field',
    isUsual: false,
    run: ({ field }, say) => {
      const load = `${field.connections} connections for ${field.seconds} s to a function at zero, ready after ${field.readyAfterMs} ms`
      say(`\n## Field: ${load}; ${fieldNote}; ${sharingNote}\n`)
      return withRedis(async () => say(await measureField(field)))
    },
  },
  { name: 'large', isUsual: false, run: (plans, say) => pinned(() => measureLargeBodies(plans.large, say)) },
  {
    name: 'connections',
    isUsual: false,
    run: (plans, say) => pinned(() => measureConnections(plans.connections, say)),
  },
  { name: 'workers', isUsual: false, run: (plans, say) => unpinned(() => measureWorkers(plans.workers, say)) },
  { name: 'logs', isUsual: false, run: (plans, say) => pinned(() => measureLogs(plans.logs, say)) },
  {
    name: 'metrics',
    isUsual: false,
    run: ({ metrics }, say) => {
      say('\n## Metrics\n')
      return unpinned(async () => say(await measureMetrics(metrics)))
    },
  },
  { name: 'allocation', isUsual: false, run: (plans, say) => pinned(() => measureAllocation(plans.allocation, say)) },
  { name: 'engines', isUsual: false, run: (plans, say) => pinned(() => measureEngines(plans.engines, say)) },
  { name: 'profile', isUsual: false, run: (plans, say) => pinned(() => measureProfile(plans.profile, say)) },
  { name: 'sidecar', isUsual: false, run: (plans, say) => pinned(() => measureSidecar(plans.sidecar, say)) },
  { name: 'hops', isUsual: false, run: (plans, say) => pinned(() => measureHops(plans.hops, say)) },
  { name: 'readiness', isUsual: false, run: (plans, say) => withRedis(() => measureReadiness(plans.readiness, say)) },
  {
    name: 'local-cold',
    isUsual: false,
    run: (plans, say) => unpinned(() => measureLocalCold(plans.localCold, say)),
  },
  { name: 'instances', isUsual: false, run: (plans, say) => unpinned(() => measureInstances(plans.instances, say)) },
]

function pinned(measure: () => Promise<void>): Promise<void> {
  pinThisProcess()
  return measure()
}

function unpinned(measure: () => Promise<void>): Promise<void> {
  unpinThisProcess()
  return measure()
}

function withRedis(measure: () => Promise<void>): Promise<void> {
  if (hasRedis()) return unpinned(measure)
  throw new PartLeftOut('redis-server is not installed (Debian package redis-server)')
}
