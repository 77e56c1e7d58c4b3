import { cpuMs, endedChildrenCpuMs } from '../process-usage.ts'
import type { Crew } from './crew.ts'

/** CPU time of everybody who takes part in a call, in milliseconds. */
export interface CpuAccounts {
  readonly supervisor: number
  /** One by one. */
  readonly workers: readonly number[]
  readonly upstream: number
  readonly load: number
}

/** CPU time so far. The load's is that of load generators that have ended. */
export function cpuAccounts(crew: Crew, upstreamPid: number): CpuAccounts {
  return {
    supervisor: crew.supervisorPid === undefined ? 0 : cpuMs(crew.supervisorPid),
    workers: crew.workerPids.map(cpuMs),
    upstream: cpuMs(upstreamPid),
    load: endedChildrenCpuMs(),
  }
}

/** CPU time between two moments. */
export function cpuBetween(before: CpuAccounts, after: CpuAccounts): CpuAccounts {
  return {
    supervisor: after.supervisor - before.supervisor,
    workers: after.workers.map((ms, at) => ms - (before.workers[at] ?? 0)),
    upstream: after.upstream - before.upstream,
    load: after.load - before.load,
  }
}

/** CPU time of all together. */
export function wholeCpu({ supervisor, workers, upstream, load }: CpuAccounts): number {
  return supervisor + sum(workers) + upstream + load
}

/** The sum of some numbers. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, one) => total + one, 0)
}
