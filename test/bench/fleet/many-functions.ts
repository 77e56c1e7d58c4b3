import { machineMs } from '../../support/machine-clock.ts'
import { BareCallers } from '../bare-callers.ts'
import { ColdProviderProcess } from '../cold-provider-process.ts'
import { median } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { Fleet } from './fleet.ts'

/** What to measure. */
export interface ManyPlan {
  readonly gateways: number
  readonly rounds: number
  readonly functions: number
  readonly readyAfterMs: number
}

/** What one round saw. */
interface ManyStarts {
  readonly scales: number
  /** Of the function that had most of them. */
  readonly mostScales: number
  readonly statuses: number
  readonly failures: number
  /** From the moment the callers begin to call until the last one has its first byte, milliseconds. */
  readonly lastServedMs: number
  /** From the readiness of the last function until then. */
  readonly afterReadyMs: number
}

interface Site {
  readonly fleet: Fleet
  readonly provider: ColdProviderProcess
  readonly callers: BareCallers
}

/** Rounds before those that count. */
const warmUps = 2

/** Wakes many functions at the same moment, each called once through every gateway. */
export async function measureManyFunctions(plan: ManyPlan, redisUrl: string): Promise<string> {
  await using provider = await ColdProviderProcess.start()
  await using fleet = await Fleet.start({ size: plan.gateways, providerUrl: provider.url, redisUrl })
  using callers = new BareCallers(fleet.urls, plan.functions * plan.gateways)
  const rounds: ManyStarts[] = []
  for (let round = 0; round < warmUps + plan.rounds; round += 1) {
    rounds.push(await wakeAll(plan, { fleet, provider, callers }, `many-${round}`))
  }
  return table(headings, [row(plan, rounds.slice(warmUps))])
}

async function wakeAll(plan: ManyPlan, { fleet, provider, callers }: Site, prefix: string): Promise<ManyStarts> {
  const names = Array.from({ length: plan.functions }, (_, i) => `${prefix}-${i}`)
  await Promise.all(names.map((name) => provider.add({ name, replicas: 0, readyAfterMs: plan.readyAfterMs })))
  await callers.connect()
  const fromMs = machineMs()
  const answers = await callers.call((caller) => `/function/${names[Math.floor(caller / fleet.size)]}`)
  const calls = await Promise.all(names.map((name) => provider.calls(name)))
  const readyAtMs = await Promise.all(names.map((name) => provider.readyAtMs(name)))
  await Promise.all(names.map((name) => provider.remove(name)))
  const lastAtMs = Math.max(...answers.map((one) => one.firstByteMs))
  const scales = calls.map((all) => all.filter(({ kind }) => kind === 'scale').length)
  return {
    scales: scales.reduce((sum, one) => sum + one, 0),
    mostScales: Math.max(...scales),
    statuses: calls.flat().filter(({ kind }) => kind === 'status').length,
    failures: answers.filter((one) => !one.isWhole).length,
    lastServedMs: lastAtMs - fromMs,
    afterReadyMs: lastAtMs - Math.max(...readyAtMs),
  }
}

const headings = [
  'functions',
  'callers',
  'rounds',
  'scale calls: min',
  'max',
  'max per function',
  'status calls per function',
  'last one served after ms',
  'ms after the last readiness',
  'failures',
]

function row({ functions, gateways, rounds: count }: ManyPlan, rounds: readonly ManyStarts[]): Row {
  const scales = rounds.map((one) => one.scales)
  return [
    functions,
    functions * gateways,
    count,
    Math.min(...scales),
    Math.max(...scales),
    Math.max(...rounds.map((one) => one.mostScales)),
    rounded(median(rounds.map((one) => one.statuses / functions))),
    rounded(median(rounds.map((one) => one.lastServedMs))),
    rounded(median(rounds.map((one) => one.afterReadyMs))),
    rounds.reduce((sum, one) => sum + one.failures, 0),
  ]
}
