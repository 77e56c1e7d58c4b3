import { type RedisServer, startRedis } from '../../support/redis-servers.ts'
import { type CallCounts, callsBetween, ColdProviderProcess } from '../cold-provider-process.ts'
import { generateLoad } from '../load.ts'
import { onContenderCpu, onLoadCpu } from '../pinning.ts'
import { median } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { Fleet } from './fleet.ts'
import { type RedisCommands, redisCommands } from './redis-usage.ts'

/** What to measure. */
export interface FleetWarmPlan {
  readonly gateways: number
  readonly rounds: number
  readonly seconds: number
  /** Of each gateway. */
  readonly connections: number
}

/** Gateways with a provider of their own. */
interface Contender {
  readonly name: string
  readonly fleet: Fleet
  readonly provider: ColdProviderProcess
}

/** What one burst saw. */
interface Sample {
  readonly requests: number
  readonly perSecond: number
  readonly cpuUs: number
  readonly residentMb: number
  readonly failures: number
  /** Provider calls meanwhile. */
  readonly calls: CallCounts
  /** Commands of Redis meanwhile, of the gateways that share it. */
  readonly commands: RedisCommands
}

/**
 * Calls a warm function through gateways that share a Redis and through as many that do not, in turns: what sharing costs a
 * call. While one fleet is under load the other one is idle, which shows what it asks Redis for by itself.
 */
export async function measureFleetWarmPath(plan: FleetWarmPlan): Promise<string> {
  await using redis = await startRedis()
  await using shared = await startContender(plan, redis.url)
  await using separate = await startContender(plan, '')
  const contenders: readonly Contender[] = [
    { name: `${plan.gateways} gateways, one Redis`, ...shared.parts },
    { name: `${plan.gateways} gateways, no Redis`, ...separate.parts },
  ]
  const samples = contenders.map((): Sample[] => [])
  for (const one of contenders) await sample(one, plan, redis)
  for (let round = 0; round < plan.rounds; round += 1) {
    for (const turn of contenders.keys()) {
      const at = (turn + round) % contenders.length
      const contender = contenders[at]
      if (contender !== undefined) samples[at]?.push(await sample(contender, plan, redis))
    }
  }
  const [loaded = [], idle = []] = samples
  return `${fleetTable(contenders, samples, plan)}\n\n${redisTable(loaded, idle, plan)}`
}

async function startContender(
  { gateways: size }: FleetWarmPlan,
  redisUrl: string,
): Promise<AsyncDisposable & { readonly parts: Omit<Contender, 'name'> }> {
  await using opened = new AsyncDisposableStack()
  const provider = opened.use(await ColdProviderProcess.start(onLoadCpu))
  await provider.add({ name: 'echo', replicas: 1, readyAfterMs: 0 })
  const launcher = onContenderCpu
  const fleet = opened.use(await Fleet.start({ size, providerUrl: provider.url, redisUrl, launcher }))
  const owned = opened.move()
  return { parts: { fleet, provider }, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

async function sample({ fleet, provider }: Contender, plan: FleetWarmPlan, redis: RedisServer): Promise<Sample> {
  const { connections, seconds } = plan
  const [callsBefore, commandsBefore, cpuBefore] = [await provider.counts(), await redisCommands(redis), fleet.cpuMs()]
  const loads = await Promise.all(
    fleet.urls.map((url) => generateLoad({ url: `${url}/function/echo`, connections, seconds })),
  )
  const usedMs = fleet.cpuMs() - cpuBefore
  const requests = loads.reduce((sum, one) => sum + one.requests, 0)
  return {
    requests,
    perSecond: requests / seconds,
    cpuUs: (usedMs * 1000) / requests,
    residentMb: fleet.residentMb(),
    failures: loads.reduce((sum, one) => sum + one.failures, 0),
    commands: callsBetween(commandsBefore, await redisCommands(redis)),
    calls: callsBetween(callsBefore, await provider.counts()),
  }
}

const fleetHeadings = [
  'contender',
  'requests/s, all gateways',
  'CPU us/request',
  'resident MB, all gateways',
  'its requests/s / those without Redis',
  'its CPU / that without Redis',
  'provider calls/s besides the function',
  'failures',
]

function fleetTable(
  contenders: readonly Contender[],
  samples: readonly (readonly Sample[])[],
  { seconds }: FleetWarmPlan,
): string {
  const reference = samples[1] ?? []
  const rows = contenders.map(({ name }, at): Row => {
    const own = samples[at] ?? []
    const middle = (pick: (sample: Sample) => number): number => median(own.map(pick))
    const ratio = (pick: (sample: Sample) => number): string =>
      rounded(median(own.map((one, round) => pick(one) / (reference[round] ? pick(reference[round]) : Number.NaN))), 3)
    return [
      name,
      rounded(
        middle((one) => one.perSecond),
        0,
      ),
      rounded(middle((one) => one.cpuUs)),
      rounded(
        middle((one) => one.residentMb),
        0,
      ),
      ratio((one) => one.perSecond),
      ratio((one) => one.cpuUs),
      rounded(own.reduce((sum, one) => sum + managementCalls(one.calls), 0) / (own.length * seconds)),
      own.reduce((sum, one) => sum + one.failures, 0),
    ]
  })
  return table(fleetHeadings, rows)
}

function managementCalls(calls: CallCounts): number {
  return Object.entries(calls).reduce((sum, [kind, count]) => (kind === 'invoke' ? sum : sum + count), 0)
}

/** @param idle samples of the other fleet, during which the one that shares the Redis had no calls */
function redisTable(loaded: readonly Sample[], idle: readonly Sample[], { seconds }: FleetWarmPlan): string {
  const names = [...new Set([...loaded, ...idle].flatMap(({ commands }) => Object.keys(commands)))].toSorted()
  const count = (samples: readonly Sample[], name: string): number =>
    samples.reduce((sum, { commands }) => sum + (commands[name] ?? 0), 0)
  const perSecond = (samples: readonly Sample[], name: string): string =>
    rounded(count(samples, name) / (samples.length * seconds), 2)
  const rows = names
    .filter((name) => count(loaded, name) + count(idle, name) > 0)
    .map((name): Row => [name, perSecond(idle, name), perSecond(loaded, name)])
  const calls = loaded.reduce((sum, { requests }) => sum + requests, 0)
  const note = `Under load the gateways answered ${calls} calls in ${loaded.length * seconds} s. Commands that scripts run are counted too.`
  return `${table(['Redis commands/s', 'without calls', 'under load'], rows)}\n\n${note}`
}
