import { startGatewayProcess } from '../support/gateway-process.ts'
import { type CallCounts, ScriptedProviderProcess } from '../support/scripted-provider-process.ts'
import { BareCaller } from './bare-caller.ts'
import { onContenderCpu, onLoadCpu } from './pinning.ts'
import { startFlags } from './start-flags.ts'
import { median, percentile } from './statistics.ts'
import { type Row, rounded, table } from './table.ts'

/** What to measure. */
export interface ColdPlan {
  readonly rounds: number
  readonly callers: number
  /** Milliseconds from the scale call until the provider says that the function is ready. */
  readonly readyAfterMs: readonly number[]
}

interface ColdStart {
  /** For each caller: from the function's readiness to the first byte of the answer, in milliseconds. */
  readonly addedMs: readonly number[]
  readonly failures: number
  readonly calls: CallCounts
}

/**
 * Sends `callers` requests at once to a function at zero and measures how long after its readiness each one is answered.
 * The delays take turns, round after round; each cold start meets a function that the gateway has never called before.
 */
export async function measureColdStarts(plan: ColdPlan): Promise<string> {
  await using provider = await ScriptedProviderProcess.start(onLoadCpu)
  await using gateway = await startGatewayProcess({
    env: { functions_provider_url: provider.url },
    launcher: onContenderCpu,
    nodeFlags: startFlags,
  })
  const starts = new Map<number, ColdStart[]>(plan.readyAfterMs.map((ms) => [ms, []]))
  let count = 0
  await coldStart({ provider, url: gateway.url, name: 'warm-up', readyAfterMs: 5, callers: plan.callers })
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const readyAfterMs of plan.readyAfterMs) {
      count += 1
      const start = { provider, url: gateway.url, name: `cold-${count}`, readyAfterMs, callers: plan.callers }
      starts.get(readyAfterMs)?.push(await coldStart(start))
    }
  }
  return table(
    headings,
    [...starts].map(([ms, all]) => row(ms, all)),
  )
}

interface ColdStartPlan {
  readonly provider: ScriptedProviderProcess
  readonly url: string
  readonly name: string
  readonly readyAfterMs: number
  readonly callers: number
}

async function coldStart({ provider, url, name, readyAfterMs, callers }: ColdStartPlan): Promise<ColdStart> {
  await provider.add({ name, desired: 0, readyAfterMs })
  const before = await provider.counts()
  const ready = await Promise.all(Array.from({ length: callers }, () => BareCaller.connect(url)))
  const answers = await Promise.all(ready.map((caller) => caller.call(`/function/${name}`)))
  const after = await provider.counts()
  const readyAtMs = await provider.readyAtMs(name)
  await provider.remove(name)
  return {
    addedMs: answers.filter((one) => one.isWhole).map((one) => one.firstByteMs - readyAtMs),
    failures: answers.filter((one) => !one.isWhole).length,
    calls: difference(after, before),
  }
}

function difference(after: CallCounts, before: CallCounts): CallCounts {
  return Object.fromEntries(Object.entries(after).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]))
}

const headings = [
  'ready after',
  'cold starts',
  'added ms: median',
  'p99',
  'first caller',
  'last caller',
  'status calls',
  'scale calls',
  'list calls',
  'failures',
]

function row(readyAfterMs: number, starts: readonly ColdStart[]): Row {
  const added = starts.flatMap((one) => one.addedMs)
  const calls = (kind: string): string => rounded(median(starts.map((one) => one.calls[kind] ?? 0)))
  return [
    `${readyAfterMs} ms`,
    starts.length,
    rounded(median(added)),
    rounded(percentile(added, 0.99)),
    rounded(median(starts.map((one) => Math.min(...one.addedMs)))),
    rounded(median(starts.map((one) => Math.max(...one.addedMs)))),
    calls('status'),
    calls('scale'),
    calls('list'),
    starts.reduce((sum, one) => sum + one.failures, 0),
  ]
}
