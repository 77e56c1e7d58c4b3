import { startGatewayProcess } from '../support/gateway-process.ts'
import { BareCallers } from './bare-callers.ts'
import { ColdProviderProcess } from './cold-provider-process.ts'
import { bursts, coldStart, type ColdStart, type ColdTarget, warmUps } from './cold-rounds.ts'
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

/**
 * Sends `callers` requests at once to a function at zero and measures how long after its readiness each one is answered.
 * The delays take turns, round after round; each cold start meets a function that the gateway has never called before.
 */
export async function measureColdStarts(plan: ColdPlan): Promise<string> {
  await using provider = await ColdProviderProcess.start(onLoadCpu)
  await using gateway = await startGatewayProcess({
    env: { functions_provider_url: provider.url },
    launcher: onContenderCpu,
    nodeFlags: startFlags,
  })
  using callers = new BareCallers([gateway.url], plan.callers)
  using directCallers = new BareCallers([provider.url], plan.callers)
  const starts = await coldStarts(plan, { provider, callers })
  const throughGateway = await bursts({ provider, callers }, plan.rounds)
  const direct = await bursts({ provider, callers: directCallers }, plan.rounds)
  return table(headings, [
    ...[...starts].map(([ms, all]) => row(`${ms} ms`, all)),
    row('already warm', throughGateway),
    row('already warm, no gateway', direct),
  ])
}

/** Cold starts by the milliseconds to readiness. */
async function coldStarts(plan: ColdPlan, target: ColdTarget): Promise<Map<number, ColdStart[]>> {
  const starts = new Map<number, ColdStart[]>(plan.readyAfterMs.map((ms) => [ms, []]))
  let count = 0
  for (let i = 0; i < warmUps; i += 1) await coldStart(target, { name: `warm-up-${i}`, readyAfterMs: 5 })
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const readyAfterMs of plan.readyAfterMs) {
      count += 1
      starts.get(readyAfterMs)?.push(await coldStart(target, { name: `cold-${count}`, readyAfterMs }))
    }
  }
  return starts
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

function row(name: string, starts: readonly ColdStart[]): Row {
  const added = starts.flatMap((one) => one.addedMs)
  const calls = (kind: string): string => rounded(median(starts.map((one) => one.calls[kind] ?? 0)))
  return [
    name,
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
