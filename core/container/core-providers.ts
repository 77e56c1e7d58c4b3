import type { GatewayConfig as Config } from '../config/gateway-config.ts'
import { GatewayConfig } from '../config/gateway-config.ts'
import { programVersion } from '../config/version.ts'
import { Coordination } from '../coordination/coordination.ts'
import { CoordinationMetrics } from '../coordination/coordination-metrics.ts'
import { Coordinator } from '../coordination/coordinator.ts'
import { Election } from '../coordination/election.ts'
import { Fleet } from '../coordination/fleet.ts'
import { ReadinessAnnouncer } from '../coordination/readiness-announcer.ts'
import { SharedDirectory } from '../coordination/shared-directory.ts'
import { SingleGateway } from '../coordination/single-gateway.ts'
import { EngineForwarder } from '../http/engine.ts'
import { Forwarder } from '../http/forwarder.ts'
import { HttpClient } from '../http/http-client.ts'
import { HttpProxyForwarder } from '../http/http-proxy-forwarder.ts'
import { createOutgoingProxy } from '../http/outgoing-proxy.ts'
import { UndiciForwarder } from '../http/undici-forwarder.ts'
import { UndiciHttpClient } from '../http/undici-http-client.ts'
import type { RedisStore } from '../redis/redis-store.ts'
import { LocalReplicaDirectory } from '../replicas/local-replica-directory.ts'
import { ReplicaDirectory } from '../replicas/replica-directory.ts'
import { InvocationCells } from '../telemetry/invocation-cells.ts'
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
import { provide, type Provider } from './container.ts'
import { token } from './token.ts'

/** Token of the collection that the metrics page is made from. */
export const MetricsPage = token<Metrics>('MetricsPage')

/** What {@link loadStore} loads. */
export interface StoreModule {
  readonly RedisStore?: typeof RedisStore
}

/** Token of the {@link StoreModule}. */
export const StoreModule = token<StoreModule>('StoreModule')

/** Loads the store where it is used, and only there: the Redis client takes memory and time to start. */
export async function loadStore({ redisUrl }: Pick<Config, 'redisUrl'>): Promise<StoreModule> {
  return redisUrl === '' ? {} : import('../redis/redis-store.ts')
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
      storeModule: StoreModule,
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
  provide(HttpClient, { clock: Clock, config: GatewayConfig }, createHttpClient),
  provide(Forwarder, { clock: Clock, config: GatewayConfig }, createForwarder),
  provide(Random, {}, () => systemRandom),
  provide(InvocationEvents, { log: Logger, clock: Clock }, (deps) => new InvocationEventHub(deps)),
  provide(FunctionSeries, { log: Logger, clock: Clock }, (deps) => new InvocationCells(deps)),
  provide(InvocationSeries, { series: FunctionSeries }, ({ series }) => series),
  provide(
    MetricsPage,
    { log: Logger, clock: Clock, directory: ReplicaDirectory, series: FunctionSeries },
    createMetrics,
  ),
  provide(Meter, { metrics: MetricsPage }, ({ metrics }) => metrics.meter),
  provide(ProcessSeries, { meter: Meter }, ({ meter }) => new ProcessMetrics({ meter, version: programVersion() })),
]

function createHttpClient({ clock, config }: { clock: Clock; config: Config }): UndiciHttpClient {
  return new UndiciHttpClient({ clock, connectTimeoutMs, proxy: createOutgoingProxy(config) })
}

function createForwarder({ clock, config }: { clock: Clock; config: Config }): EngineForwarder {
  const { maxConnectionsPerUpstream, maxHeaderBytes } = config
  const options = { maxConnectionsPerUpstream, maxHeaderBytes, connectTimeoutMs }
  const httpProxy = new HttpProxyForwarder({ clock, options })
  return new EngineForwarder({
    httpProxy,
    plain:
      config.engine === 'http-proxy'
        ? httpProxy
        : new UndiciForwarder({ clock, options, proxy: createOutgoingProxy(config) }),
  })
}

interface CoordinationNeeds {
  readonly config: Config
  readonly storeModule: StoreModule
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly meter: Meter
}

function createCoordination({ config, storeModule, meter, ...deps }: CoordinationNeeds): Coordination {
  const { redisUrl, redisPrefix, redisTimeoutMs, leaseTtlMs } = config
  const { RedisStore } = storeModule
  if (RedisStore === undefined) return new SingleGateway(deps)
  const metrics = new CoordinationMetrics(meter)
  const observer = {
    onCommand: (...ended: Parameters<CoordinationMetrics['commandEnded']>) => metrics.commandEnded(...ended),
    onForeignMessage: () => metrics.heardForeign(),
  }
  const store = new RedisStore({ ...deps, url: redisUrl, prefix: redisPrefix, timeoutMs: redisTimeoutMs, observer })
  return new Fleet({ ...deps, store, metrics, leaseTtlMs })
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
  metrics.include(new ReplicaSeries({ directory, clock }))
  return metrics
}
