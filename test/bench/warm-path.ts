import { type LoadResult, generateLoad } from './load.ts'
import { cpuMs, residentMb } from './process-usage.ts'
import { median } from './statistics.ts'
import { type Row, rounded, table } from './table.ts'

/** A process that answers `GET /function/echo`. */
export interface Contender {
  readonly name: string
  readonly url: string
  readonly pid: number
}

/** How long and how often to measure. */
export interface WarmPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: readonly number[]
}

interface Sample extends LoadResult {
  readonly cpuUs: number
  readonly perSecond: number
  readonly residentMb: number
}

/** The contender that the others are compared with. */
export const gatewayName = 'pilotlight'

/**
 * Measures all contenders in turn, round after round, so that whatever slows the machine for a while slows all of them, and
 * returns one table for each number of connections.
 */
export async function measureWarmPath(contenders: readonly Contender[], plan: WarmPlan): Promise<string> {
  for (const one of contenders) await sample(one, 50, plan.seconds)
  const tables: string[] = []
  for (const connections of plan.connections) {
    const samples = new Map<string, Sample[]>(contenders.map((one) => [one.name, []]))
    for (let round = 0; round < plan.rounds; round += 1) {
      for (const one of rotated(contenders, round)) {
        samples.get(one.name)?.push(await sample(one, connections, plan.seconds))
      }
    }
    tables.push(report(connections, samples))
  }
  return tables.join('\n\n')
}

async function sample(contender: Contender, connections: number, seconds: number): Promise<Sample> {
  const before = cpuMs(contender.pid)
  const result = await generateLoad({ url: `${contender.url}/function/echo`, connections, seconds })
  const used = cpuMs(contender.pid) - before
  return {
    ...result,
    cpuUs: (used * 1000) / result.requests,
    perSecond: result.requests / seconds,
    residentMb: residentMb(contender.pid),
  }
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}

function report(connections: number, samples: ReadonlyMap<string, readonly Sample[]>): string {
  const own = samples.get(gatewayName) ?? []
  const rows = [...samples].map(([name, values]): Row => {
    const middle = (pick: (sample: Sample) => number): number => median(values.map(pick))
    const cpuUs = middle((one) => one.cpuUs)
    return [
      name,
      rounded(cpuUs),
      rounded(1_000_000 / cpuUs, 0),
      rounded(
        middle((one) => one.perSecond),
        0,
      ),
      rounded(
        middle((one) => one.medianUs),
        0,
      ),
      rounded(
        middle((one) => one.p99Us),
        0,
      ),
      rounded(
        middle((one) => one.residentMb),
        0,
      ),
      rounded(median(values.map((one, round) => (own[round]?.cpuUs ?? Number.NaN) / one.cpuUs)), 2),
      values.reduce((sum, one) => sum + one.failures, 0),
    ]
  })
  return `${connections} connection${connections === 1 ? '' : 's'}\n\n${table(headings, rows)}`
}

const headings = [
  'contender',
  'CPU us/request',
  'requests/s per core',
  'measured requests/s',
  'p50 us',
  'p99 us',
  'resident MB',
  'pilotlight CPU / its CPU',
  'failures',
]
