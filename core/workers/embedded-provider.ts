import { isDeepStrictEqual } from 'node:util'
import { GatewayConfig, type GatewayConfig as Config, type PluginEntry } from '../config/gateway-config.ts'
import { Container } from '../container/container.ts'
import { coreProviders, loadStore, MetricsPage, PeerAccess, StoreAccess } from '../container/core-providers.ts'
import { Teardown } from '../container/teardown.ts'
import { Coordination } from '../coordination/coordination.ts'
import type { CoordinationStore } from '../coordination/coordination-store.ts'
import { PluginHost } from '../plugin/host.ts'
import { loadPlugins } from '../plugin/load.ts'
import { ProviderEndpoint } from '../provider/provider-endpoint.ts'
import { Logger } from '../telemetry/logger.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { Clock } from '../time/clock.ts'
import type { PortableEndpoint } from './worker-messages.ts'

/** What an {@link EmbeddedProvider} works with. */
export interface EmbeddedProviderDeps {
  readonly config: Config
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: Metrics
  /** Makes the supervisor a member of the fleet of its workers; not used where there is a Redis. */
  readonly joinFleet: () => CoordinationStore
}

/**
 * The plugins that bring a provider along, in the supervisor: functions run once for all workers, and outlive each of them.
 * What these plugins announce reaches the workers as it would reach other gateways.
 */
export class EmbeddedProvider implements AsyncDisposable {
  /** Where the provider listens. */
  readonly endpoint: PortableEndpoint
  readonly #config: Config
  /** The entries of the plugins that run here. */
  readonly #own: readonly PluginEntry[]
  readonly #host: PluginHost
  readonly #teardown: Teardown

  private constructor(parts: {
    endpoint: PortableEndpoint
    config: Config
    own: readonly PluginEntry[]
    host: PluginHost
    teardown: Teardown
  }) {
    this.endpoint = parts.endpoint
    this.#config = parts.config
    this.#own = parts.own
    this.#host = parts.host
    this.#teardown = parts.teardown
  }

  /**
   * Boots the plugins that provide the address of a provider; undefined when there is none.
   * @throws GatewayError as `PluginHost.boot`; what was opened is closed then
   */
  static async start({
    config,
    clock,
    log,
    metrics,
    joinFleet,
  }: EmbeddedProviderDeps): Promise<EmbeddedProvider | undefined> {
    const loaded = await loadPlugins(config.plugins, config.baseDirectory)
    const own = loaded.filter(({ plugin }) => plugin.provides?.includes(ProviderEndpoint))
    if (own.length === 0) return undefined
    const entries = config.plugins.filter((_, index) => own.some((one) => one === loaded[index]))
    const teardown = new Teardown()
    const container = new Container(coreProviders, teardown)
    container.addValue(GatewayConfig, config)
    container.addValue(Clock, clock)
    container.addValue(Logger, log)
    container.addValue(MetricsPage, metrics)
    container.addValue(PeerAccess, {})
    const host = new PluginHost({ container, teardown, clock, setupTimeoutMs: config.pluginSetupTimeoutMs })
    try {
      const access = await loadStore(config)
      container.addValue(StoreAccess, { create: access.create ?? joinFleet } satisfies StoreAccess)
      await container.resolve(Coordination).start()
      await host.boot(own)
      await host.startTasks()
    } catch (error) {
      await teardown[Symbol.asyncDispose]().catch((err: unknown) =>
        log.error('not everything could be closed', { err }),
      )
      throw error
    }
    const { url, authorization } = container.resolve(ProviderEndpoint)
    return new EmbeddedProvider({ endpoint: { url: url.href, authorization }, config, own: entries, host, teardown })
  }

  /** The plugins of a configuration that are left for the workers. */
  pluginsOfWorkers({ plugins }: Config): readonly PluginEntry[] {
    return plugins.filter(({ use }) => !this.#own.some((one) => one.use === use))
  }

  /** Names what a configuration says otherwise than the one that the provider was started with. */
  changesIn(config: Config): readonly string[] {
    const own = config.plugins.filter(({ use }) => this.#own.some((one) => one.use === use))
    return [
      ...(isDeepStrictEqual(own, this.#own) ? [] : this.#own.map(({ use }) => `the plugin ${use}`)),
      ...(config.functionNamespace === this.#config.functionNamespace ? [] : ['functionNamespace']),
    ]
  }

  /** Why the provider does not want traffic. */
  unready(): readonly string[] {
    return this.#host.unready()
  }

  /** Never rejects. */
  drain(deadline: AbortSignal): Promise<void> {
    return this.#host.drain(deadline)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#teardown[Symbol.asyncDispose]()
  }
}
