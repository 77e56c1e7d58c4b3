import type { GatewayConfig } from '../config/gateway-config.ts'
import { programVersion } from '../config/version.ts'
import { Teardown } from '../container/teardown.ts'
import { LocalStore } from '../coordination/local-store/local-store.ts'
import { serveStore } from '../coordination/local-store/serve-store.ts'
import type { GatewayAddresses } from '../gateway.ts'
import { Readiness } from '../readiness.ts'
import type { Logger } from '../telemetry/logger.ts'
import { MergedMetrics } from '../telemetry/merged/merged-metrics.ts'
import { Metrics } from '../telemetry/metrics.ts'
import { MetricsServer } from '../telemetry/metrics-server.ts'
import { ProcessMetrics } from '../telemetry/process-metrics.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { Crew, type CrewObserver, type WorkerOrders } from './crew.ts'
import { CrewWatch } from './crew-watch.ts'
import type { EmbeddedProvider } from './embedded-provider.ts'
import { toPortable } from './portable-config.ts'
import { SupervisorMetrics } from './supervisor-metrics.ts'

/** What a {@link Supervisor} works with. */
export interface SupervisorDeps {
  readonly config: GatewayConfig
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Reads the configuration again. @throws Error that names what is wrong with it */
  readonly reread: () => GatewayConfig
}

/** Settings that the supervisor itself has put to use: new workers cannot have others. */
const fixedAtStart = [
  'host',
  'port',
  'metricsPort',
  'workers',
  'functionsProviderUrl',
  'redisUrl',
  'redisPrefix',
] as const

/**
 * Several gateways as one: worker processes that accept from one listening socket, and this process, which starts, watches,
 * replaces and stops them, and has what must be there once: the metrics page, the coordination of gateways without a Redis, and
 * the embedded provider. No call passes through it, except those of functions that the embedded provider runs.
 *
 * Order: as `Gateway`.
 */
export class Supervisor implements AsyncDisposable {
  readonly #deps: SupervisorDeps
  readonly #teardown = new Teardown()
  readonly #store: LocalStore
  readonly #metrics: Metrics
  readonly #page: MergedMetrics
  readonly #readiness = new Readiness(() => this.#unready())
  readonly #crew: Crew
  readonly #watch: CrewWatch
  #config: GatewayConfig
  #embedded: EmbeddedProvider | undefined
  #isRolling = false
  /** Whether the configuration may have changed since the roll under way has read it. */
  #rollsAgain = false
  #isStopping = false

  constructor(deps: SupervisorDeps) {
    const { config, clock, log } = deps
    this.#deps = deps
    this.#config = config
    this.#store = new LocalStore({ clock, log })
    this.#metrics = new Metrics({ log, clock })
    this.#page = new MergedMetrics({ own: this.#metrics, clock, log })
    const orders = (): WorkerOrders => this.#orders()
    this.#crew = new Crew({ ...deps, count: config.workers, orders, observer: this.#observer() })
    this.#watch = new CrewWatch({ clock, log, serving: () => this.#crew.serving })
  }

  /** Starts the workers. @throws as `Gateway.start`: with the reason of the first worker that cannot serve */
  async start(): Promise<GatewayAddresses> {
    try {
      const metricsPort = await this.#startMetrics()
      await this.#startEmbedded()
      const port = await this.#crew.start()
      this.#readiness.serving()
      return { port, metricsPort }
    } catch (error) {
      await this[Symbol.asyncDispose]().catch((err: unknown) =>
        this.#deps.log.error('not everything could be closed', { err }),
      )
      throw error
    }
  }

  /**
   * Reads the configuration again and replaces the workers one after the other; each old one finishes what is under way.
   * Never rejects: with a configuration or a worker that is no good, what runs goes on.
   */
  async roll(): Promise<void> {
    const { log } = this.#deps
    if (this.#isStopping) {
      log.warn('not replacing the workers: they are being stopped')
      return
    }
    this.#rollsAgain = true
    if (this.#isRolling) return
    this.#isRolling = true
    while (this.#rollsAgain) {
      this.#rollsAgain = false
      await this.#rollOnce()
    }
    this.#isRolling = false
  }

  announceDraining(): void {
    this.#isStopping = true
    this.#readiness.draining()
    this.#crew.announceDraining()
  }

  async drain(deadline: AbortSignal): Promise<void> {
    this.#isStopping = true
    this.#readiness.draining()
    await this.#crew.drain(deadline)
    await this.#embedded?.drain(deadline)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true
    this.#watch[Symbol.dispose]()
    this.#teardown.defer('embedded provider', () => this.#embedded?.[Symbol.asyncDispose]())
    this.#teardown.defer('workers', () => this.#crew[Symbol.asyncDispose]())
    await this.#teardown[Symbol.asyncDispose]()
  }

  async #rollOnce(): Promise<void> {
    const { log, reread } = this.#deps
    const before = this.#config
    try {
      this.#config = this.#acceptable(reread())
      log.info('replacing the workers one after the other')
      await this.#crew.roll()
      log.info('all workers are replaced')
    } catch (err) {
      this.#config = before
      log.error('not all workers were replaced: those that serve go on, and new ones get the old configuration', {
        err,
      })
    }
  }

  async #startMetrics(): Promise<number> {
    const { clock, log } = this.#deps
    const ofProcess = new ProcessMetrics({ meter: this.#metrics.meter, version: programVersion() })
    const readiness = (): readonly string[] => this.#readiness.reasons()
    const server = new MetricsServer({ metrics: this.#page, readiness, clock, log })
    this.#teardown.defer('metrics', () => this.#metrics[Symbol.asyncDispose]())
    this.#teardown.defer('process metrics', () => ofProcess[Symbol.dispose]())
    this.#teardown.defer('metrics server', () => server[Symbol.asyncDispose]())
    return server.listen(this.#config.host, this.#config.metricsPort)
  }

  /** Loads and starts the provider that the configuration embeds, if it does. */
  async #startEmbedded(): Promise<void> {
    if (this.#config.functionsProviderUrl !== undefined) return
    const { EmbeddedProvider: Embedded } = await import('./embedded-provider.ts')
    const { clock, log } = this.#deps
    const joinFleet = () => this.#store.member('supervisor')
    this.#embedded = await Embedded.start({ config: this.#config, clock, log, metrics: this.#metrics, joinFleet })
  }

  #orders(): WorkerOrders {
    const config = { ...this.#config, plugins: this.#embedded?.pluginsOfWorkers(this.#config) ?? this.#config.plugins }
    return {
      config: toPortable(config),
      provider: this.#embedded?.endpoint,
      quietMs: config.quietPeriodMs,
      graceMs: config.gracePeriodMs,
    }
  }

  /** What each worker is connected to. */
  #observer(): CrewObserver {
    const ends = new SupervisorMetrics(this.#metrics.meter, () => this.#crew.serving.length)
    const served = new Map<number, Disposable>()
    return {
      joined: ({ number, line }) => {
        served.set(number, serveStore(this.#store, line))
        this.#page.add(number, line)
      },
      leaving: ({ number }) => this.#page.collectLast(number),
      ended: ({ number }) => {
        served.get(number)?.[Symbol.dispose]()
        served.delete(number)
        this.#page.retire(number)
      },
      lost: () => ends.lost(),
      replaced: () => ends.replaced(),
    }
  }

  /** @throws Error when a setting differs that only a restart can change */
  #acceptable(config: GatewayConfig): GatewayConfig {
    const changed = [
      ...fixedAtStart.filter((key) => String(config[key]) !== String(this.#config[key])),
      ...(this.#embedded?.changesIn(config) ?? []),
    ]
    if (changed.length === 0) return config
    throw new Error(`only a restart can change ${changed.join(', ')}`)
  }

  #unready(): readonly string[] {
    const ofWorkers = this.#watch.unready()
    return ofWorkers.length > 0 ? ofWorkers : (this.#embedded?.unready() ?? [])
  }
}
