import { openLoad } from '../open-loop/open-load.ts'
import type { OpenLoadResult } from '../open-loop/plan.ts'
import type { Say } from '../part.ts'
import { inTurns, medianOf, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { medianAdded } from './added.ts'
import { Hops, hopNames } from './hops.ts'

/** Calls to a function that takes so long. */
export interface DelayedCalls {
  readonly delayMs: number
  /** Enough for all calls that are under way at a time. */
  readonly connections: number
}

/** What to measure. */
export interface HopsPlan {
  readonly rounds: number
  readonly seconds: number
  readonly perSecond: number
  readonly functions: readonly DelayedCalls[]
}

const warmUpSeconds = 1
const path = '/function/echo'

/** Measures what gateway and sidecar add to the latency of calls at a fixed rate; one table for each function. */
export async function measureHops(plan: HopsPlan, say: Say): Promise<void> {
  const { rounds, seconds, perSecond } = plan
  say(`\n## Hops: ${perSecond} calls a second, open loop, ${rounds} interleaved rounds of ${seconds} s, medians`)
  for (const calls of plan.functions) {
    say(`\n### A function that answers after ${calls.delayMs} ms, ${calls.connections} connections\n`)
    say(await measureFunction(calls, plan))
  }
}

async function measureFunction({ delayMs, connections }: DelayedCalls, plan: HopsPlan): Promise<string> {
  const { rounds, seconds, perSecond } = plan
  await using hops = await Hops.start(delayMs)
  const load = { connections, perSecond, paths: [path], warmUpSeconds }
  for (const { url } of hops.all) await openLoad({ ...load, url, seconds: warmUpSeconds + 1 })
  const before = await hops.routed()
  const samples = await inTurns(hops.all, rounds, ({ url }) => openLoad({ ...load, url, seconds }))
  const routed = (await hops.routed()) - before
  const made = rounds * Math.floor(perSecond * seconds)
  return `${report(samples)}\n\n${routed} of ${made} calls to the gateway of the sidecar went through it.`
}

const headings = [
  'way',
  'p50 ms',
  'p95 ms',
  'p99 ms',
  'max ms',
  'added: p50 ms',
  'p95 ms',
  'p99 ms',
  'generator late: p99 ms',
  'failures',
]

function report(samples: Samples<OpenLoadResult>): string {
  const direct = samples.get(hopNames[0]) ?? []
  const rows = [...samples].map(([name, all]): Row => {
    const middle = (pick: (one: OpenLoadResult) => number): string => rounded(medianOf(all, pick) / 1000, 2)
    const added = (pick: (one: OpenLoadResult) => number): string => rounded(medianAdded(all, direct, pick) / 1000, 2)
    return [
      name,
      middle((one) => one.p50Us),
      middle((one) => one.p95Us),
      middle((one) => one.p99Us),
      middle((one) => one.maxUs),
      added((one) => one.p50Us),
      added((one) => one.p95Us),
      added((one) => one.p99Us),
      middle((one) => one.lateP99Us),
      totalOf(all, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}
