import { type Burst, burst } from '../burst.ts'
import { type Contender, gatewayName } from '../contender.ts'
import { fileLimit } from '../file-limit.ts'
import { LineUp, undiciName } from '../line-up.ts'
import type { Say } from '../part.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { measureMemory, type MemoryPlan } from './memory.ts'

/** What to measure. */
export interface ConnectionsPlan {
  readonly memory: MemoryPlan
  readonly storm: StormPlan
}

/** Callers that open a connection for each call. */
export interface StormPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
}

const names = [gatewayName, 'http-proxy, bare', undiciName, 'nginx', 'haproxy'] as const
/** Files that a process has open besides its clients: connections to the upstream, above all. */
const otherFiles = 500

/** Measures what connections cost: memory of those that are kept, CPU of those that are not. */
export async function measureConnections({ memory, storm }: ConnectionsPlan, say: Say): Promise<void> {
  const idle = Math.min(memory.idle, fileLimit - otherFiles)
  say(`\n## Connections: memory, medians of ${memory.rounds} fresh processes each\n`)
  if (idle < memory.idle) say(`only ${idle} idle connections: a process may have ${fileLimit} files open (ulimit -n)\n`)
  say(await measureMemory(names, { ...memory, idle }))
  say(
    `\n## Connections: a new one for each call, ${storm.connections} callers, ${storm.rounds} interleaved rounds of ${storm.seconds} s\n`,
  )
  await using lineUp = await LineUp.start({ names })
  const path = '/function/echo'
  const shape = { connections: storm.connections, seconds: storm.seconds }
  const sample = (one: Contender): Promise<Burst> => burst(one, path, { ...shape, closes: true })
  for (const one of lineUp.contenders) await burst(one, path, shape)
  for (const one of lineUp.contenders) await sample(one)
  say(stormReport(await inTurns(lineUp.contenders, storm.rounds, sample)))
  for (const note of lineUp.notes) say(`\n${note}`)
}

function stormReport(samples: Samples<Burst>): string {
  const own = samples.get(gatewayName) ?? []
  const rows = [...samples].map(([name, bursts]): Row => {
    const whole = (pick: (one: Burst) => number): string => rounded(medianOf(bursts, pick), 0)
    return [
      name,
      rounded(medianOf(bursts, (one) => one.cpuUs)),
      whole((one) => one.perSecond),
      whole((one) => one.p99Us),
      rounded(
        medianRatio(own, bursts, (one) => one.cpuUs),
        2,
      ),
      totalOf(bursts, (one) => one.failures),
    ]
  })
  const headings = [
    'contender',
    'CPU us/request',
    'measured requests/s',
    'p99 us',
    `${gatewayName} CPU / its CPU`,
    'failures',
  ]
  return table(headings, rows)
}
