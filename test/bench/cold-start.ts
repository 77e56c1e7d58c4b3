import { machineMs } from '../support/machine-clock.ts'
import { startGatewayProcess } from '../support/gateway-process.ts'
import { type BareAnswer, BareCallers } from './bare-callers.ts'
import { type CallCounts, ColdProviderProcess } from './cold-provider-process.ts'
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

/** Cold starts and bursts before those that count: the first ones of a process wait for its code to be compiled. */
const warmUps = 5

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
  await using provider = await ColdProviderProcess.start(onLoadCpu)
  await using gateway = await startGatewayProcess({
    env: { functions_provider_url: provider.url },
    launcher: onContenderCpu,
    nodeFlags: startFlags,
  })
  using callers = new BareCallers(gateway.url, plan.callers)
  using directCallers = new BareCallers(provider.url, plan.callers)
  const starts = await coldStarts(plan, { provider, callers })
  const throughGateway = await bursts(plan, { provider, callers })
  const direct = await bursts(plan, { provider, callers: directCallers })
  return table(headings, [
    ...[...starts].map(([ms, all]) => row(`${ms} ms`, all)),
    row('already warm', throughGateway),
    row('already warm, no gateway', direct),
  ])
}

interface Target {
  readonly provider: ColdProviderProcess
  readonly callers: BareCallers
}

/** Cold starts by the milliseconds to readiness. */
async function coldStarts(plan: ColdPlan, target: Target): Promise<Map<number, ColdStart[]>> {
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

/**
 * The same callers at once to a function that is ready, measured from the moment they begin to call: what so many calls take
 * of themselves on this machine, with the provider and all callers on one CPU.
 */
async function bursts({ rounds }: ColdPlan, target: Target): Promise<ColdStart[]> {
  await target.provider.add({ name: 'warm', replicas: 1, readyAfterMs: 0 })
  const all: ColdStart[] = []
  for (let round = 0; round < warmUps + rounds; round += 1) all.push(await burst(target))
  await target.provider.remove('warm')
  return all.slice(warmUps)
}

async function burst({ provider, callers }: Target): Promise<ColdStart> {
  const before = await provider.counts()
  await callers.connect()
  const fromMs = machineMs()
  const answers = await callers.call('/function/warm')
  return toColdStart(answers, { fromMs, calls: difference(await provider.counts(), before) })
}

interface ColdStartPlan {
  readonly name: string
  readonly readyAfterMs: number
}

async function coldStart({ provider, callers }: Target, { name, readyAfterMs }: ColdStartPlan): Promise<ColdStart> {
  await provider.add({ name, replicas: 0, readyAfterMs })
  const before = await provider.counts()
  await callers.connect()
  const answers = await callers.call(`/function/${name}`)
  const after = await provider.counts()
  const readyAtMs = await provider.readyAtMs(name)
  await provider.remove(name)
  return toColdStart(answers, { fromMs: readyAtMs, calls: difference(after, before) })
}

function toColdStart(
  answers: readonly BareAnswer[],
  { fromMs, calls }: { fromMs: number; calls: CallCounts },
): ColdStart {
  return {
    addedMs: answers.filter((one) => one.isWhole).map((one) => one.firstByteMs - fromMs),
    failures: answers.filter((one) => !one.isWhole).length,
    calls,
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
