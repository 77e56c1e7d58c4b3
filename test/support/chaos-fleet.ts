import type { Cluster, ClusterGateway } from '../../deploy/cluster/cluster.ts'
import type { ClusterOptions } from '../../deploy/cluster/cluster-options.ts'
import type { Span } from '../chaos/oracle.ts'
import { ProviderGate } from './chaos-gate.ts'
import type { Entrance } from './chaos-load.ts'
import { processBehind } from './chaos-peers.ts'
import { RecordWatch } from './chaos-records.ts'
import { startCluster } from './cluster.ts'
import { eventually } from './eventually.ts'
import { FaultProxy } from './fault-proxy.ts'
import { machineMs } from './machine-clock.ts'
import { metricValue } from './metrics-page.ts'
import { startRedis, type RedisServer } from './redis-servers.ts'
import { ScriptedProvider, type ProviderCall } from './scripted-provider.ts'

/** As by default, but for the pauses between listings, and for limits that are shorter so that a fault outlasts some of them. */
const pluginOptions = {
  'provider-client': { statusTimeout: '1s', scaleTimeout: '1s', listTimeout: '1s', feedInterval: '500ms' },
  'scale-from-zero': { providerPatience: '3s' },
}
const env = { PILOTLIGHT_HOLD_TIMEOUT: '15s' }

/** How a gateway's log says that it decides alone, and that it no longer does; see core/coordination/store-health.ts. */
const aloneLines = { begins: 'Redis cannot be used', ends: 'gateways decide together' }

/** How a fleet is made. */
export interface ChaosFleetOptions {
  /** Whether gateways reach Redis by wires that a test can cut. Default false. */
  readonly hasWires?: boolean
}

/**
 * Three gateways behind haproxy, with a Redis and a provider that refuses older fences: the processes that users run, with a lease
 * time-to-live as by default.
 */
export class ChaosFleet implements AsyncDisposable {
  readonly provider: ScriptedProvider
  readonly gate: ProviderGate
  readonly redis: RedisServer
  /** Connections of gateway n to Redis go through wire n - 1. */
  readonly wires: readonly FaultProxy[]
  readonly cluster: Cluster
  readonly records: RecordWatch
  readonly #alone: AloneWatch
  readonly #all: AsyncDisposableStack

  private constructor(parts: Parts) {
    this.provider = parts.provider
    this.gate = new ProviderGate(parts.provider)
    this.redis = parts.redis
    this.wires = parts.wires
    this.cluster = parts.cluster
    this.records = parts.records
    this.#alone = parts.alone
    this.#all = parts.all
  }

  /** Resolves when it takes traffic and decides together. */
  static async start({ hasWires = false }: ChaosFleetOptions = {}): Promise<ChaosFleet> {
    await using parts = new AsyncDisposableStack()
    const provider = parts.use(await ScriptedProvider.start())
    provider.scales.refusesOlderFences = true
    const redis = parts.use(await startRedis())
    const wires = hasWires ? await Promise.all([1, 2, 3].map(() => FaultProxy.start(redis.port))) : []
    for (const wire of wires) parts.use(wire)
    const alone = new AloneWatch()
    const options: ClusterOptions = {
      pluginOptions,
      env,
      redis: (gateway) => wires[gateway - 1]?.through(redis.url) ?? redis.url,
      onLine: (program, line) => alone.hear(program, line),
    }
    const cluster = parts.use(await startCluster(provider, options))
    const records = parts.use(await RecordWatch.start(redis.clientOptions()))
    const fleet = new ChaosFleet({ provider, redis, wires, cluster, records, alone, all: parts.move() })
    await fleet.isWhole()
    return fleet
  }

  get gateways(): readonly ClusterGateway[] {
    return this.cluster.gateways
  }

  /** Balancer and gateways, as callers reach them. */
  get entrances(): readonly Entrance[] {
    const gateways = this.gateways.map(({ url }, index) => ({ via: `gateway-${index + 1}` as const, url }))
    return [{ via: 'balancer', url: this.cluster.url }, ...gateways]
  }

  /** The gateway that sent a call; its connection must be open still. */
  async senderOf({ connection }: ProviderCall): Promise<ClusterGateway> {
    const running = this.#running
    const pids = running.map((one) => one.pid)
    const pid = await processBehind(connection, pids)
    const found = running.find((one) => one.pid === pid)
    if (found === undefined) throw new Error(`process ${pid} is no gateway`)
    return found
  }

  /** The wire between a gateway and Redis. */
  wireOf(gateway: ClusterGateway): FaultProxy {
    const wire = this.wires[this.gateways.indexOf(gateway)]
    if (wire === undefined) throw new Error(`${gateway.name} has no wire`)
    return wire
  }

  /** Resolves when all gateways run and decide together. */
  async isWhole(): Promise<void> {
    for (const gateway of this.gateways) {
      await eventually(`${gateway.name} to be one of the fleet`, () => isMember(gateway), 15_000)
    }
  }

  /** Leases that each running process of a gateway (by its id) has taken over. */
  async takeOvers(): Promise<ReadonlyMap<number, number>> {
    const counts = this.#running.map(
      async (one) => [one.pid, await valueAt(one, 'pilotlight_lease_takeovers_total')] as const,
    )
    return new Map((await Promise.all(counts)).filter(([, count]) => !Number.isNaN(count)))
  }

  /** The gateways that list the provider's functions. */
  async listers(): Promise<readonly ClusterGateway[]> {
    const running = this.#running
    const values = await Promise.all(running.map((one) => valueAt(one, 'pilotlight_feed_leader')))
    return running.filter((_, index) => values[index] === 1)
  }

  get #running(): readonly ClusterGateway[] {
    return this.gateways.filter(({ isRunning }) => isRunning)
  }

  /** When gateways decided alone. */
  alone(): readonly Span[] {
    return this.#alone.spans()
  }

  /** Takes every fault back: what was killed runs again, nothing is held, paused or cut. */
  async restore(): Promise<void> {
    this.gate.open()
    for (const wire of this.wires) await wire.set('pass')
    if (!this.redis.isRunning) await this.redis.start()
    await this.provider.accept()
    for (const one of this.gateways) {
      one.resume()
      if (!one.isRunning) await one.start()
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#all.disposeAsync()
  }
}

interface Parts {
  readonly provider: ScriptedProvider
  readonly redis: RedisServer
  readonly wires: readonly FaultProxy[]
  readonly cluster: Cluster
  readonly records: RecordWatch
  readonly alone: AloneWatch
  /** To dispose. */
  readonly all: AsyncDisposableStack
}

/** Learns from logs when gateways decide alone. */
class AloneWatch {
  readonly #ended: Span[] = []
  readonly #since = new Map<string, number>()

  hear(program: string, line: string): void {
    if (line.includes(aloneLines.begins)) this.#since.set(program, this.#since.get(program) ?? machineMs())
    if (line.includes(aloneLines.ends)) this.#end(program)
  }

  spans(): readonly Span[] {
    const now = [...this.#since.values()].map((fromMs) => ({ fromMs, untilMs: Infinity }))
    return [...this.#ended, ...now]
  }

  #end(program: string): void {
    const fromMs = this.#since.get(program)
    if (fromMs !== undefined) this.#ended.push({ fromMs, untilMs: machineMs() })
    this.#since.delete(program)
  }
}

async function isMember(gateway: ClusterGateway): Promise<boolean> {
  return gateway.isRunning && (await valueAt(gateway, 'pilotlight_coordination_degraded')) === 0
}

/** NaN for a gateway that does not answer. */
async function valueAt(gateway: ClusterGateway, series: string): Promise<number> {
  const page = await gateway.metrics().catch(() => '')
  return metricValue(page, series) ?? Number.NaN
}
