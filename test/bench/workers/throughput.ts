import { availableParallelism } from 'node:os'
import { generateLoad, type LoadResult } from '../load.ts'
import { onAnyCpu } from '../pinning.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { type CpuAccounts, cpuAccounts, cpuBetween, sum, wholeCpu } from './cpu-accounts.ts'
import { type Crew, nameOf } from './crew.ts'

/** How long and how often to measure. */
export interface ThroughputPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: readonly number[]
}

interface Sample extends LoadResult {
  readonly cpu: CpuAccounts
  readonly perSecond: number
  /** Share of the time of all CPUs, 0 to 1. */
  readonly usedRatio: number
}

/** Measures how many calls a second crews answer, and who uses the CPUs for it: a table for each number of connections. */
export async function measureThroughput(
  crews: readonly Crew[],
  upstreamPid: number,
  { rounds, seconds, connections: counts }: ThroughputPlan,
): Promise<string> {
  const sample = async (crew: Crew, connections: number): Promise<Sample> => {
    const before = cpuAccounts(crew, upstreamPid)
    const url = `${crew.url}/function/echo`
    const result = await generateLoad({ url, connections, seconds, launcher: onAnyCpu })
    const cpu = cpuBetween(before, cpuAccounts(crew, upstreamPid))
    const usedRatio = wholeCpu(cpu) / (seconds * 1000 * availableParallelism())
    return { ...result, cpu, usedRatio, perSecond: result.requests / seconds }
  }
  for (const crew of crews) await sample(crew, 50)
  const tables: string[] = []
  for (const connections of counts) {
    const samples = await inTurns(crews, rounds, (crew) => sample(crew, connections))
    tables.push(`${connections} connections\n\n${report(crews, samples)}`)
  }
  return tables.join('\n\n')
}

const headings = [
  'contender, workers',
  'requests/s',
  'its requests/s / those of one worker',
  'p99 us',
  'CPU us/request: supervisor',
  'workers together',
  'upstream',
  'load generator',
  'all CPUs used, %',
  'workers, % of used CPU',
  'requests/s if all CPUs were used',
  'failures',
]

function report(crews: readonly Crew[], samples: Samples<Sample>): string {
  const rows = crews.map(({ name, kind }): Row => {
    const all = samples.get(name) ?? []
    const perRequest = (pick: (cpu: CpuAccounts) => number): string =>
      rounded(medianOf(all, (one) => (pick(one.cpu) * 1000) / one.requests))
    return [
      name,
      rounded(
        medianOf(all, (one) => one.perSecond),
        0,
      ),
      rounded(
        medianRatio(all, samples.get(nameOf(kind, 1)) ?? [], (one) => one.perSecond),
        2,
      ),
      rounded(
        medianOf(all, (one) => one.p99Us),
        0,
      ),
      perRequest((cpu) => cpu.supervisor),
      perRequest((cpu) => sum(cpu.workers)),
      perRequest((cpu) => cpu.upstream),
      perRequest((cpu) => cpu.load),
      rounded(
        medianOf(all, (one) => one.usedRatio * 100),
        0,
      ),
      rounded(
        medianOf(all, ({ cpu }) => (sum(cpu.workers) / wholeCpu(cpu)) * 100),
        0,
      ),
      rounded(
        medianOf(all, (one) => one.perSecond / one.usedRatio),
        0,
      ),
      totalOf(all, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}
