import { machineMs } from '../../support/machine-clock.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { type CallCounts, callsBetween, ColdProviderProcess } from '../cold-provider-process.ts'
import { type Row, rounded, table } from '../table.ts'
import { Balancer, balancerName } from './balancer.ts'
import { fieldLoad, fieldLoadGenerator, type FieldLoadResult } from './field-load.ts'
import { Fleet } from './fleet.ts'

/** What to measure. */
export interface FieldPlan {
  readonly gateways: number
  readonly connections: number
  readonly seconds: number
  readonly readyAfterMs: number
  /** Milliseconds that carrying out a scale call takes. */
  readonly scaleTakesMs: number
}

/** What one run saw. */
interface FieldRun {
  readonly load: FieldLoadResult
  readonly seconds: number
  readonly calls: CallCounts
  /** Calls that the gateways counted with another status than 200. */
  readonly countedFailures: number
}

/** One sentence about how calls reach the gateways. */
export const fieldNote = `load by ${fieldLoadGenerator}, ${balancerName() === undefined ? 'divided among the gateways (no balancer is installed)' : `through ${balancerName()}`}`

/**
 * The experiment by which gateways for functions compare what they ask of a provider: so many connections for so long to a
 * function at zero. With gateways that share a Redis, and with as many that do not.
 */
export async function measureField(plan: FieldPlan): Promise<string> {
  await using redis = await startRedis()
  const shared = await runField(plan, redis.url)
  const separate = await runField(plan, '')
  return table(headings, [
    row(`${plan.gateways} gateways, one Redis`, shared),
    row(`${plan.gateways} gateways, no Redis`, separate),
  ])
}

async function runField(plan: FieldPlan, redisUrl: string): Promise<FieldRun> {
  const { gateways, connections, seconds, readyAfterMs, scaleTakesMs } = plan
  await using provider = await ColdProviderProcess.start()
  await using fleet = await Fleet.start({ size: gateways, providerUrl: provider.url, redisUrl })
  await using balancer = balancerName() === undefined ? undefined : await Balancer.start(fleet.urls)
  const urls = balancer === undefined ? fleet.urls : [balancer.url]
  await provider.add({ name: 'field', replicas: 0, readyAfterMs, scaleTakesMs })
  const before = await provider.counts()
  const fromMs = machineMs()
  const load = await fieldLoad({ urls, target: '/function/field', connections, seconds })
  const ranMs = machineMs() - fromMs
  const calls = callsBetween(before, await provider.counts())
  const isFailure = (series: string): boolean => !series.includes('code="200"')
  const countedFailures = await fleet.total('gateway_function_invocation_total', isFailure)
  return { load, seconds: ranMs / 1000, calls, countedFailures }
}

const headings = [
  'gateways',
  'requests',
  'requests/s',
  'not 200',
  'not 200, as gateways count',
  'scale calls',
  'conflicts',
  'status calls',
  'status calls/s',
  'list calls',
]

function row(name: string, { load, seconds, calls, countedFailures }: FieldRun): Row {
  const count = (kind: string): number => calls[kind] ?? 0
  return [
    name,
    load.requests,
    rounded(load.requests / seconds, 0),
    load.failures,
    countedFailures,
    count('scale'),
    count('conflict'),
    count('status'),
    rounded(count('status') / seconds, 2),
    count('list'),
  ]
}
