import { type Burst, burst } from './burst.ts'
import type { Contender } from './contender.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from './rounds.ts'
import { type Row, rounded, table } from './table.ts'

/** How long and how often to measure. */
export interface WarmPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: readonly number[]
}

/**
 * Measures all contenders in turn and returns one table for each number of connections.
 * @param base name of the contender that the others are compared with
 */
export async function measureWarmPath(contenders: readonly Contender[], plan: WarmPlan, base: string): Promise<string> {
  const { rounds, seconds } = plan
  const path = '/function/echo'
  for (const one of contenders) await burst(one, path, { connections: 50, seconds })
  const tables: string[] = []
  for (const connections of plan.connections) {
    const samples = await inTurns(contenders, rounds, (one) => burst(one, path, { connections, seconds }))
    tables.push(report(connections, samples, base))
  }
  return tables.join('\n\n')
}

function report(connections: number, samples: Samples<Burst>, base: string): string {
  const own = samples.get(base) ?? []
  const rows = [...samples].map(([name, bursts]): Row => {
    const cpuUs = medianOf(bursts, (one) => one.cpuUs)
    return [
      name,
      rounded(cpuUs),
      rounded(1_000_000 / cpuUs, 0),
      whole(bursts, (one) => one.perSecond),
      whole(bursts, (one) => one.medianUs),
      whole(bursts, (one) => one.p99Us),
      whole(bursts, (one) => one.residentMb),
      rounded(
        medianRatio(own, bursts, (one) => one.cpuUs),
        2,
      ),
      totalOf(bursts, (one) => one.failures),
    ]
  })
  return `${connections} connection${connections === 1 ? '' : 's'}\n\n${table(headings(base), rows)}`
}

function whole(bursts: readonly Burst[], pick: (one: Burst) => number): string {
  return rounded(medianOf(bursts, pick), 0)
}

function headings(base: string): readonly string[] {
  return [
    'contender',
    'CPU us/request',
    'requests/s per core',
    'measured requests/s',
    'p50 us',
    'p99 us',
    'resident MB',
    `${base} CPU / its CPU`,
    'failures',
  ]
}
