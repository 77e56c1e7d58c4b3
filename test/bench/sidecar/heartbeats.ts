import { eventually, pause } from '../../support/eventually.ts'
import { type GatewayProcess, startGatewayProcess } from '../../support/gateway-process.ts'
import { metricValue } from '../../support/metrics-page.ts'
import { machineMs } from '../../support/machine-clock.ts'
import { type RedisServer, startRedis } from '../../support/redis-servers.ts'
import { ColdProviderProcess } from '../cold-provider-process.ts'
import { onAnyCpu } from '../pinning.ts'
import { cpuMs, residentMb } from '../process-usage.ts'
import { startFlags } from '../start-flags.ts'
import { type Row, rounded, table } from '../table.ts'
import { instanceKey } from './instance-key.ts'
import { type RedisLoad, redisLoadBetween, redisState } from './redis-load.ts'
import { type ReportersCount, type ReportersPlan, ReportersProcess } from './reporters-process.ts'

/** What to measure. */
export interface HeartbeatsPlan {
  readonly instances: number
  readonly perFunction: number
  /** Numbers of gateways that share a Redis. */
  readonly fleets: readonly number[]
  /** For how long to look, after every instance has spoken. */
  readonly seconds: number
}

/** What a while of heartbeats cost. */
interface Load {
  readonly name: string
  readonly redis: RedisLoad
  readonly said: ReportersCount | undefined
  /** Of each gateway; NaN without one. */
  readonly gatewayCpuMsPerSecond: number
  readonly gatewayMb: number
  readonly seconds: number
}

/** A third of `PILOTLIGHT_INSTANCE_TTL` as it is by default. */
const everyMs = 10_000 / 3
const patienceMs = 15_000

/** Measures what heartbeats ask of a Redis and of gateways, and says a table; below it the commands by name. */
export async function measureHeartbeats(plan: HeartbeatsPlan): Promise<string> {
  const loads: Load[] = []
  for (const size of plan.fleets) loads.push(...(await fleetLoads(size, plan)))
  loads.push(await directLoad(plan))
  return `${table(headings, loads.map(row))}\n\n${loads.map(commandsLine).join('\n')}`
}

/** Of a fleet by itself, and with instances that report to all of its gateways, or each to one of them. */
async function fleetLoads(size: number, plan: HeartbeatsPlan): Promise<readonly Load[]> {
  await using redis = await startRedis()
  await using provider = await ColdProviderProcess.start()
  await using opened = new AsyncDisposableStack()
  const gateways: GatewayProcess[] = []
  for (let i = 0; i < size; i += 1) gateways.push(opened.use(await startGateway(provider.url, redis.url)))
  const scene = { gateways, redis, seconds: plan.seconds }
  const fleet = size === 1 ? '1 gateway' : `${size} gateways`
  const loads = [await watch(`${fleet}, no instance`, scene)]
  for (const tells of size === 1 ? (['all'] as const) : (['all', 'one'] as const)) {
    const targets = gateways.map(({ url }) => url)
    const name = size === 1 ? fleet : `${fleet}, ${tells === 'all' ? 'each told' : 'one of them told'}`
    loads.push(await withReporters(name, { ...plan, everyMs, targets, tells }, scene))
    await gone(gateways)
  }
  return loads
}

/** Of as many connections that keep their leases themselves. */
async function directLoad(plan: HeartbeatsPlan): Promise<Load> {
  await using redis = await startRedis()
  const scene = { gateways: [], redis, seconds: plan.seconds }
  const name = 'no gateway: a connection for each instance'
  return await withReporters(
    name,
    { ...plan, everyMs: Math.round(everyMs), targets: [redis.url], tells: 'redis' },
    scene,
  )
}

interface Scene {
  readonly gateways: readonly GatewayProcess[]
  readonly redis: RedisServer
  readonly seconds: number
}

async function withReporters(name: string, plan: ReportersPlan, scene: Scene): Promise<Load> {
  await using reporters = await ReportersProcess.start(plan)
  // Every instance has spoken at least once, and what a first report needs is over.
  await pause(2 * everyMs)
  return await watch(name, scene, reporters)
}

async function watch(name: string, { gateways, redis, seconds }: Scene, reporters?: ReportersProcess): Promise<Load> {
  await reporters?.count()
  const cpu = (): number => gateways.reduce((sum, { pid }) => sum + cpuMs(pid), 0)
  const [before, cpuBefore, fromMs] = [await redisState(redis), cpu(), machineMs()]
  await pause(seconds * 1000)
  const took = (machineMs() - fromMs) / 1000
  const cpuAfter = cpu()
  const after = await redisState(redis)
  return {
    name,
    redis: redisLoadBetween(before, after, took),
    said: await reporters?.count(),
    gatewayCpuMsPerSecond: (cpuAfter - cpuBefore) / took / gateways.length,
    gatewayMb: gateways.reduce((sum, { pid }) => sum + residentMb(pid), 0) / gateways.length,
    seconds: took,
  }
}

/** Resolves when the leases of all instances are over. */
async function gone(gateways: readonly GatewayProcess[]): Promise<void> {
  for (const gateway of gateways) {
    await eventually('the instances to be forgotten', async () => (await ready(gateway)) === 0, patienceMs)
  }
}

async function ready(gateway: GatewayProcess): Promise<number | undefined> {
  return metricValue(await gateway.metrics(), 'pilotlight_instances', { phase: 'ready' })
}

async function startGateway(providerUrl: string, redisUrl: string): Promise<GatewayProcess> {
  const gateway = await startGatewayProcess({
    env: {
      functions_provider_url: providerUrl,
      PILOTLIGHT_REDIS_URL: redisUrl,
      PILOTLIGHT_INSTANCE_KEY: instanceKey,
    },
    launcher: onAnyCpu,
    nodeFlags: startFlags,
  })
  const isTogether = async (): Promise<boolean> =>
    metricValue(await gateway.metrics(), 'pilotlight_coordination_degraded') === 0
  await eventually('a gateway to join the others', isTogether, patienceMs)
  return gateway
}

const headings = [
  'who shares the Redis',
  'commands/s',
  'scripts/s',
  'kB/s in',
  'kB/s out',
  'connections',
  'kB of them',
  'MB in use',
  'Redis CPU, ms/s',
  'reports/s',
  'answered after ms: p50',
  'p99',
  'not taken',
  'CPU of a gateway, ms/s',
  'its MB',
]

function row({ name, redis, said, gatewayCpuMsPerSecond, gatewayMb, seconds }: Load): Row {
  return [
    name,
    rounded(redis.commandsPerSecond),
    rounded(scriptsPerSecond(redis)),
    rounded(redis.inputBytesPerSecond / 1000),
    rounded(redis.outputBytesPerSecond / 1000),
    redis.clients,
    rounded(redis.clientMemoryBytes / 1000, 0),
    rounded(redis.memoryBytes / 1e6),
    rounded(redis.cpuMsPerSecond),
    said === undefined ? '-' : rounded(said.sent / seconds, 0),
    rounded(said?.p50Ms ?? Number.NaN, 2),
    rounded(said?.p99Ms ?? Number.NaN, 2),
    said === undefined ? '-' : said.refused + said.lost,
    rounded(gatewayCpuMsPerSecond),
    rounded(gatewayMb, 0),
  ]
}

/** What gateways send that does more than one thing: one round trip each. */
function scriptsPerSecond({ byName }: RedisLoad): number {
  return byName.find(([name]) => name === 'evalsha')?.[1] ?? 0
}

function commandsLine({ name, redis }: Load): string {
  const most = redis.byName.slice(0, 6).map(([command, perSecond]) => `${command} ${rounded(perSecond)}`)
  return `- ${name}: ${most.join(', ')} a second`
}
