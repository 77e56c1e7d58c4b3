import { pause } from '../../support/eventually.ts'
import { generateLoad } from '../load.ts'
import { onAnyCpu } from '../pinning.ts'
import { inTurns, medianOf, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { acceptedConnections } from './connection-count.ts'
import { cpuAccounts, cpuBetween, sum } from './cpu-accounts.ts'
import type { Crew } from './crew.ts'

/** How long and how often to measure. */
export interface DistributionPlan {
  readonly rounds: number
  readonly seconds: number
  /** Kept connections, opened anew for each round. */
  readonly connections: readonly number[]
  /** Callers that open a connection for each call. */
  readonly storm: number
}

const lookEveryMs = 20
const maxLooks = 40

interface Spread {
  /** Of each worker, fewest first. */
  readonly connections: readonly number[]
  /** Share of each worker of their CPU time, smallest first, 0 to 1. */
  readonly cpu: readonly number[]
  readonly failures: number
}

/** Measures how calls spread over the workers of crews: by connections, and by the CPU time that they cost. */
export async function measureDistribution(
  crews: readonly Crew[],
  upstreamPid: number,
  { rounds, seconds, connections: counts, storm }: DistributionPlan,
): Promise<string> {
  const sample = async (crew: Crew, shape: Shape): Promise<Spread> => {
    const before = cpuAccounts(crew, upstreamPid)
    const load = generateLoad({ url: `${crew.url}/function/echo`, ...shape, seconds, launcher: onAnyCpu })
    const open = shape.closes ? [Number.NaN] : await openConnections(crew, shape.connections)
    const { failures } = await load
    const { workers } = cpuBetween(before, cpuAccounts(crew, upstreamPid))
    return { connections: open.toSorted(ascending), cpu: shares(workers), failures }
  }
  const kept = counts.map((connections) => ({ connections, closes: false }))
  const rows: Row[] = []
  for (const shape of [...kept, { connections: storm, closes: true }]) {
    rows.push(...rowsOf(shape, await inTurns(crews, rounds, (crew) => sample(crew, shape))))
  }
  return table(headings, rows)
}

interface Shape {
  readonly connections: number
  /** Whether each call has a connection of its own: how many a worker has just now says nothing then. */
  readonly closes: boolean
}

/** Of each worker, once all connections of the load are open; what is there when that takes too long. */
async function openConnections(crew: Crew, wanted: number): Promise<readonly number[]> {
  const port = Number(new URL(crew.url).port)
  for (let tries = 0; ; tries += 1) {
    const open = crew.workerPids.map((pid) => acceptedConnections(pid, port))
    if (sum(open) >= wanted || tries === maxLooks) return open
    await pause(lookEveryMs)
  }
}

const headings = [
  'contender, workers',
  'connections',
  'on the worker with fewest: median',
  'worst',
  'fair share',
  'its share of CPU, %: median',
  'worst',
  'failures',
]

function rowsOf({ connections, closes }: Shape, samples: Samples<Spread>): readonly Row[] {
  return [...samples].map(([name, all]) => {
    const least = all.map((one) => ({ open: one.connections[0] ?? Number.NaN, cpu: (one.cpu[0] ?? 0) * 100 }))
    return [
      name,
      closes ? `${connections}, a new one for each call` : connections,
      rounded(
        medianOf(least, (one) => one.open),
        0,
      ),
      rounded(Math.min(...least.map((one) => one.open)), 0),
      rounded(medianOf(all, (one) => sum(one.connections) / one.connections.length)),
      rounded(
        medianOf(least, (one) => one.cpu),
        0,
      ),
      rounded(Math.min(...least.map((one) => one.cpu)), 0),
      totalOf(all, (one) => one.failures),
    ]
  })
}

function shares(values: readonly number[]): readonly number[] {
  const whole = sum(values)
  return values.map((one) => one / whole).toSorted(ascending)
}

function ascending(one: number, other: number): number {
  return one - other
}
