import { resolve } from 'node:path'
import type { GatewayConfig as Config } from '../config/gateway-config.ts'
import { GatewayConfig } from '../config/gateway-config.ts'
import { programVersion } from '../config/version.ts'
import { Coordination } from '../coordination/coordination.ts'
import { CoordinationMetrics } from '../coordination/coordination-metrics.ts'
import type { CoordinationStore } from '../coordination/coordination-store.ts'
import { Coordinator } from '../coordination/coordinator.ts'
import { Election } from '../coordination/election.ts'
import { Fleet } from '../coordination/fleet.ts'
import { ReadinessAnnouncer } from '../coordination/readiness-announcer.ts'
import { SharedDirectory } from '../coordination/shared-directory.ts'
import { SingleGateway } from '../coordination/single-gateway.ts'
import { EngineForwarder } from '../http/engine.ts'
import { Forwarder } from '../http/forwarder.ts'
import { HttpClient } from '../http/http-client.ts'
import { LazyForwarder } from '../http/lazy-forwarder.ts'
import { createOutgoingProxy } from '../http/outgoing-proxy.ts'
import { PeerForwarder } from '../http/peer-forwarder.ts'
import { PeerIdentity, type PeerIdentityDeps } from '../http/peer-identity.ts'
import { UndiciForwarder } from '../http/undici-forwarder.ts'
import { UndiciHttpClient } from '../http/undici-http-client.ts'
import { H1Forwarder } from '../http1/h1-forwarder.ts'
import type { StoreObserver } from '../redis/redis-store.ts'
import { LocalReplicaDirectory } from '../replicas/local-replica-directory.ts'
import { ReplicaDirectory } from '../replicas/replica-directory.ts'
import { InvocationCells } from '../telemetry/invocation-cells.ts'
import { InvocationCounts } from '../telemetry/invocation-counts.ts'
import { InvocationEventHub } from '../telemetry/invocation-event-hub.ts'
import { InvocationEvents } from '../telemetry/invocation-events.ts'
import { InvocationSeries } from '../telemetry/invocation-series.ts'
import { Logger } from '../telemetry/logger.ts'
import { Meter } from '../telemetry/meter.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { ProcessMetrics } from '../telemetry/process-metrics.ts'
import { ReplicaSeries } from '../telemetry/replica-series.ts'
import { Clock } from '../time/clock.ts'
import { Random, systemRandom } from '../time/random.ts'
import type { Line } from '../workers/line.ts'
import { provide, type Provider } from './container.ts'
import { instanceProviders } from './instance-providers.ts'
import { token } from './token.ts'

/** Token of the collection that the metrics page is made from. */
export const MetricsPage = token<Metrics>('MetricsPage')

/** Makes the store that this gateway shares with others. */
export type CreateStore = (deps: StoreDeps) => CoordinationStore

/** What any store is made with. */
export interface StoreDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: CoordinationMetrics
}

/** How a gateway gets the store that it shares with others; `create` is absent where it is alone. */
export interface StoreAccess {
  readonly create?: CreateStore
}

/** Token of the {@link StoreAccess}. */
export const StoreAccess = token<StoreAccess>('StoreAccess')

/**
 * Loads the store that a gateway shares with others: Redis where there is one, else that of the supervisor of a worker. Each
 * is loaded where it is used, and only there: the Redis client takes memory and time to start.
 */
export async function loadStore(config: Config, line?: Line): Promise<StoreAccess> {
  const { redisUrl: url, redisPrefix: prefix, redisTimeoutMs: timeoutMs } = config
  if (url !== '') {
    const { RedisStore } = await import('../redis/redis-store.ts')
    return {
      create: ({ metrics, ...deps }) =>
        new RedisStore({ ...deps, url, prefix, timeoutMs, observer: observerOf(metrics) }),
    }
  }
  if (line === undefined) return {}
  const { LineStore } = await import('../coordination/local-store/line-store.ts')
  return { create: ({ clock, log }) => new LineStore({ line, clock, log }) }
}

/** By which certificates a gateway and sidecars know each other; `identity` is absent where they do without. */
export interface PeerAccess {
  readonly identity?: PeerIdentity
}

/** Token of the {@link PeerAccess}. */
export const PeerAccess = token<PeerAccess>('PeerAccess')

/**
 * Reads the certificates for sidecars, where there are any.
 * @throws GatewayError `config_invalid` when they cannot be used
 */
export async function loadPeers(config: Config, deps: PeerIdentityDeps): Promise<PeerAccess> {
  if (config.instanceTls === '') return {}
  return { identity: await PeerIdentity.open(resolve(config.baseDirectory, config.instanceTls), deps) }
}

/** Token of the cells behind {@link InvocationSeries}. */
const FunctionSeries = token<InvocationCells>('FunctionSeries')

/** Token of the measurements of the process itself. */
export const ProcessSeries = token<ProcessMetrics>('ProcessSeries')

const connectTimeoutMs = 5_000

/** The composition root of core: what every gateway is made of, before its plugins. */
export const coreProviders: readonly Provider[] = [
  provide(ReplicaDirectory, { clock: Clock }, (deps) => new LocalReplicaDirectory(deps)),
  provide(
    Coordination,
    {
      config: GatewayConfig,
      store: StoreAccess,
      directory: ReplicaDirectory,
      clock: Clock,
      random: Random,
      log: Logger,
      meter: Meter,
    },
    createCoordination,
  ),
  provide(Coordinator, { coordination: Coordination }, ({ coordination }) => coordination.leases),
  provide(SharedDirectory, { coordination: Coordination }, ({ coordination }) => coordination.shared),
  provide(ReadinessAnnouncer, { coordination: Coordination }, ({ coordination }) => coordination.shared),
  provide(Election, { coordination: Coordination }, ({ coordination }) => coordination.election),
  ...instanceProviders,
  provide(HttpClient, { clock: Clock, config: GatewayConfig, peers: PeerAccess }, createHttpClient),
  provide(Forwarder, { clock: Clock, config: GatewayConfig, peers: PeerAccess }, createForwarder),
  provide(Random, {}, () => systemRandom),
  provide(InvocationEvents, { log: Logger, clock: Clock }, (deps) => new InvocationEventHub(deps)),
  provide(FunctionSeries, { log: Logger, clock: Clock }, (deps) => new InvocationCells(deps)),
  provide(InvocationSeries, { series: FunctionSeries }, ({ series }) => series),
  provide(InvocationCounts, { series: FunctionSeries }, ({ series }) => series),
  provide(
    MetricsPage,
    { log: Logger, clock: Clock, directory: ReplicaDirectory, series: FunctionSeries },
    createMetrics,
  ),
  provide(Meter, { metrics: MetricsPage }, ({ metrics }) => metrics.meter),
  provide(ProcessSeries, { meter: Meter }, ({ meter }) => new ProcessMetrics({ meter, version: programVersion() })),
]

/** What carries calls is made with. */
interface WireNeeds {
  readonly clock: Clock
  readonly config: Config
  readonly peers: PeerAccess
}

function createHttpClient({ clock, config, peers }: WireNeeds): UndiciHttpClient {
  const proxy = createOutgoingProxy(config)
  return new UndiciHttpClient({ clock, connectTimeoutMs, proxy, identity: peers.identity })
}

function createForwarder({ clock, config, peers: { identity } }: WireNeeds): EngineForwarder {
  const { maxConnectionsPerUpstream, maxHeaderBytes } = config
  const options = { maxConnectionsPerUpstream, maxHeaderBytes, connectTimeoutMs }
  const httpProxy = new LazyForwarder(async () => {
    const { HttpProxyForwarder } = await import('../http/http-proxy-forwarder.ts')
    return new HttpProxyForwarder({ clock, options })
  })
  const peers = identity && new PeerForwarder({ clock, options, identity })
  if (config.engine === 'http-proxy') return new EngineForwarder({ httpProxy, plain: httpProxy, peers })
  const proxy = createOutgoingProxy(config)
  const undici = new UndiciForwarder({ clock, options, proxy })
  const plain = config.engine === 'h1' ? new H1Forwarder({ clock, options, proxy, fallback: undici }) : undici
  return new EngineForwarder({ httpProxy, plain, peers })
}

interface CoordinationNeeds {
  readonly config: Config
  readonly store: StoreAccess
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly meter: Meter
}

function createCoordination({ config, store: access, meter, ...deps }: CoordinationNeeds): Coordination {
  if (access.create === undefined) return new SingleGateway(deps)
  const metrics = new CoordinationMetrics(meter)
  const store = access.create({ ...deps, metrics })
  return new Fleet({ ...deps, store, metrics, leaseTtlMs: config.leaseTtlMs })
}

function observerOf(metrics: CoordinationMetrics): StoreObserver {
  return {
    onCommand: (...ended) => metrics.commandEnded(...ended),
    onForeignMessage: () => metrics.heardForeign(),
  }
}

interface MetricsNeeds {
  readonly log: Logger
  readonly clock: Clock
  readonly directory: ReplicaDirectory
  readonly series: InvocationCells
}

function createMetrics({ log, clock, directory, series }: MetricsNeeds): Metrics {
  const metrics = new Metrics({ log, clock })
  metrics.include({
    read: () => {
      series.forgetUnknown((name) => directory.knows(name))
      return series.read()
    },
  })
  metrics.include(new ReplicaSeries({ directory }))
  return metrics
}
