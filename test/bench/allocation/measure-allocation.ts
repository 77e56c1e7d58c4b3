import { burst } from '../burst.ts'
import { type Contender, gatewayName } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import { openLoad } from '../open-loop/open-load.ts'
import type { Say } from '../part.ts'
import { Probes } from '../probe/probes.ts'
import type { Figures } from '../probe/question.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'

/** How long and how often to measure. */
export interface AllocationPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Share of what bare undici can take, for the second table. */
  readonly rateRatio: number
}

interface Sample {
  readonly bytesPerRequest: number
  readonly youngPerThousand: number
  readonly old: number
  /** Share of the time, 0 to 1. */
  readonly collecting: number
  readonly delay: Figures['delay']
  readonly perSecond: number
  readonly failures: number
}

const path = '/function/echo'

/** Measures what requests allocate, and how late the event loop runs: with all connections busy, and at a fixed rate. */
export async function measureAllocation(plan: AllocationPlan, say: Say): Promise<void> {
  const { rounds, seconds, connections, rateRatio } = plan
  say(
    `\n## Allocation and event loop: ${connections} connections, ${rounds} interleaved rounds of ${seconds} s, medians\n`,
  )
  using probes = new Probes()
  const names = [gatewayName, undiciName, 'http-proxy, bare'] as const
  await using lineUp = await LineUp.start({ names, nodeOptionsOf: (name) => probes.optionsFor(name) })
  const saturate = (one: Contender): Promise<Load> => burst(one, path, { connections, seconds })
  for (const one of lineUp.contenders) await saturate(one)
  const saturated = await inTurns(lineUp.contenders, rounds, (one) => sample(one, { probes, load: saturate }))
  say(`### Saturated\n\n${report(saturated)}\n`)
  const perSecond = Math.floor(rateRatio * medianOf(saturated.get(undiciName) ?? [], (one) => one.perSecond))
  const atRate = async ({ url }: Contender): Promise<Load> => {
    const shape = { connections, perSecond, seconds, warmUpSeconds: 0, paths: [path] }
    return { ...(await openLoad({ url, ...shape })), perSecond }
  }
  const half = await inTurns(lineUp.contenders, rounds, (one) => sample(one, { probes, load: atRate }))
  say(`### ${perSecond} calls a second, ${rateRatio} of what ${undiciName} takes at most\n\n${report(half)}`)
}

interface Load {
  readonly requests: number
  readonly perSecond: number
  readonly failures: number
}

async function sample(
  contender: Contender,
  { probes, load }: { readonly probes: Probes; readonly load: (contender: Contender) => Promise<Load> },
): Promise<Sample> {
  const before = await probes.figures(contender.name)
  const fromMs = performance.now()
  const { requests, perSecond, failures } = await load(contender)
  const tookMs = performance.now() - fromMs
  const after = await probes.figures(contender.name)
  const counted = (pick: (one: Figures) => number): number => pick(after) - pick(before)
  return {
    bytesPerRequest: counted((one) => one.allocatedBytes ?? Number.NaN) / requests,
    youngPerThousand: (counted((one) => one.collections.young) * 1000) / requests,
    old: counted((one) => one.collections.old),
    collecting: counted((one) => one.collections.pausedMs) / tookMs,
    delay: after.delay,
    perSecond,
    failures,
  }
}

const headings = [
  'contender',
  'bytes/request',
  `its bytes / those of ${undiciName}`,
  'young collections for 1000 requests',
  'full collections',
  'time for collections, %',
  'event-loop delay: p50 us',
  'p99 us',
  'max us',
  'failures',
]

function report(samples: Samples<Sample>): string {
  const reference = samples.get(undiciName) ?? []
  const rows = [...samples].map(([name, all]): Row => {
    const middle = (pick: (one: Sample) => number, decimals = 0): string => rounded(medianOf(all, pick), decimals)
    return [
      name,
      middle((one) => one.bytesPerRequest),
      rounded(
        medianRatio(all, reference, (one) => one.bytesPerRequest),
        2,
      ),
      middle((one) => one.youngPerThousand, 2),
      middle((one) => one.old),
      middle((one) => one.collecting * 100, 1),
      middle((one) => one.delay.p50Us),
      middle((one) => one.delay.p99Us),
      middle((one) => one.delay.maxUs),
      totalOf(all, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}
