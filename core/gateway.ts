import type { GatewayConfig as Config } from './config/gateway-config.ts'
import { GatewayConfig } from './config/gateway-config.ts'
import { programVersion } from './config/version.ts'
import { Container } from './container/container.ts'
import {
  coreProviders,
  loadPeers,
  loadStore,
  MetricsPage,
  PeerAccess,
  ProcessSeries,
  StoreAccess,
} from './container/core-providers.ts'
import { Teardown } from './container/teardown.ts'
import { Coordination } from './coordination/coordination.ts'
import { Forwarder } from './http/forwarder.ts'
import type { GatewayRequest } from './http/gateway-request.ts'
import { HttpListener, type RequestHandler } from './http/http-listener.ts'
import { ForwardStep } from './pipeline/forward.ts'
import { FunctionPath } from './pipeline/function-path.ts'
import { compose } from './pipeline/stages.ts'
import { PluginHost } from './plugin/host.ts'
import { loadPlugins } from './plugin/load.ts'
import { configuredEndpoint, providerUpstream } from './provider/configured-endpoint.ts'
import { ProviderEndpoint } from './provider/provider-endpoint.ts'
import type { Line } from './workers/line.ts'
import { Readiness } from './readiness.ts'
import { coreRoutes } from './routing/core-routes.ts'
import { FunctionRouter, functionPrefix } from './routing/function-router.ts'
import { SystemRouter } from './routing/system-router.ts'
import { InvocationEvents } from './telemetry/invocation-events.ts'
import { InvocationCounts } from './telemetry/invocation-counts.ts'
import { Logger } from './telemetry/logger.ts'
import { MetricsServer } from './telemetry/metrics-server.ts'
import { Clock } from './time/clock.ts'

/** Where a running gateway listens. */
export interface GatewayAddresses {
  readonly port: number
  readonly metricsPort: number
}

/** What a gateway that is a worker has from its supervisor. */
export interface Supervision {
  /** How metrics and coordination reach the other workers. */
  readonly line: Line
  readonly worker: number
  /** The provider that the supervisor embeds for all workers, if it does. */
  readonly endpoint: ProviderEndpoint | undefined
}

/**
 * One gateway: core, its plugins, and the two listeners; as a worker without that of metrics, which its supervisor serves.
 *
 * Order: `start` once, then `drain`, then disposal. Disposing without draining cuts what is under way. A `start` that fails
 * has closed everything it opened.
 */
export class Gateway implements AsyncDisposable {
  readonly #config: Config
  readonly #teardown = new Teardown()
  readonly #container: Container
  readonly #host: PluginHost
  readonly #readiness: Readiness
  readonly #log: Logger
  readonly #supervision: Supervision | undefined
  #listener: HttpListener | undefined

  constructor(deps: { config: Config; clock: Clock; log: Logger; supervision?: Supervision }) {
    this.#config = deps.config
    this.#log = deps.log
    this.#supervision = deps.supervision
    this.#container = new Container(coreProviders, this.#teardown)
    this.#container.addValue(GatewayConfig, deps.config)
    this.#container.addValue(Clock, deps.clock)
    this.#container.addValue(Logger, deps.log)
    const setupTimeoutMs = deps.config.pluginSetupTimeoutMs
    this.#host = new PluginHost({
      container: this.#container,
      teardown: this.#teardown,
      clock: deps.clock,
      setupTimeoutMs,
    })
    this.#readiness = new Readiness(() => this.#host.unready())
  }

  /**
   * Loads and boots the plugins, then listens.
   * @throws GatewayError for what the configuration got wrong; Error with a Node code when a port cannot be had
   */
  async start(): Promise<GatewayAddresses> {
    try {
      const metricsPort = await this.#startMetrics()
      await this.#loadPeers()
      this.#container.addValue(StoreAccess, await loadStore(this.#config, this.#supervision?.line))
      await this.#container.resolve(Coordination).start()
      await this.#bootPlugins()
      const port = await this.#listen(this.#requestHandler())
      this.#readiness.serving()
      return { port, metricsPort }
    } catch (error) {
      await this[Symbol.asyncDispose]().catch((err: unknown) =>
        this.#log.error('not everything could be closed', { err }),
      )
      throw error
    }
  }

  /** Why it wants no traffic; empty when it does. */
  unready(): readonly string[] {
    return this.#readiness.reasons()
  }

  /** Turns readiness off and has clients take other connections for their next calls; traffic is served as before. */
  announceDraining(): void {
    this.#readiness.draining()
    this.#listener?.announceLeaving()
  }

  /** Takes no new connections and finishes calls in flight, held calls and streams; what is left at `deadline` is cut. */
  async drain(deadline: AbortSignal): Promise<void> {
    this.#readiness.draining()
    await Promise.all([this.#listener?.drain(deadline), this.#host.drain(deadline)])
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener?.[Symbol.asyncDispose]()
    await this.#teardown[Symbol.asyncDispose]()
  }

  /** What happens to a request, outermost first. */
  #requestHandler(): RequestHandler {
    const container = this.#container
    const clock = container.resolve(Clock)
    const forward = new ForwardStep({
      forwarder: container.resolve(Forwarder),
      events: container.resolve(InvocationEvents),
      clock,
      defaultUpstream: this.#defaultUpstream(),
      options: {
        timeoutMs: shortest(this.#config.writeTimeoutMs, this.#config.upstreamTimeoutMs),
        trustForwarded: this.#config.trustForwarded,
      },
    })
    const functions = new FunctionPath({
      router: new FunctionRouter(this.#config.functionNamespace),
      pipeline: compose(this.#host.layers, (exchange) => forward.handle(exchange)),
      clock,
      servedBy: `pilotlight/${programVersion()}`,
      onFailure: (error, request) => this.#onFailure(error, request),
    })
    const system = new SystemRouter([...coreRoutes(this.#readiness), ...this.#host.routes], this.#host.systemLayers)
    return (request) => (request.target.startsWith(functionPrefix) ? functions.handle(request) : system.handle(request))
  }

  #defaultUpstream() {
    if (!this.#container.has(ProviderEndpoint)) return () => undefined
    const upstream = providerUpstream(this.#container.resolve(ProviderEndpoint))
    return () => upstream
  }

  /** @returns the port of metrics; 0 when the supervisor has it */
  async #startMetrics(): Promise<number> {
    this.#container.resolve(ProcessSeries)
    if (this.#supervision !== undefined) {
      await this.#reportMetrics(this.#supervision.line)
      return 0
    }
    const server = new MetricsServer({
      metrics: this.#container.resolve(MetricsPage),
      readiness: () => this.#readiness.reasons(),
      clock: this.#container.resolve(Clock),
      log: this.#log,
    })
    this.#teardown.defer('metrics server', () => server[Symbol.asyncDispose]())
    return server.listen(this.#config.host, this.#config.metricsPort)
  }

  /** The supervisor has the page; it knows what the other workers count. */
  async #reportMetrics(line: Line): Promise<void> {
    const { GatewayCounts } = await import('./telemetry/merged/gateway-counts.ts')
    const { MetricsReporter } = await import('./telemetry/merged/metrics-reporter.ts')
    const container = this.#container
    const reporter = new MetricsReporter({ metrics: container.resolve(MetricsPage), line })
    const own = container.resolve(InvocationCounts)
    const counts = new GatewayCounts({ line, clock: container.resolve(Clock), own })
    container.addValue(InvocationCounts, counts)
    this.#teardown.defer('metrics reporter', () => reporter[Symbol.dispose]())
    this.#teardown.defer('counts of all workers', () => counts[Symbol.dispose]())
  }

  async #loadPeers(): Promise<void> {
    const access = await loadPeers(this.#config, { clock: this.#container.resolve(Clock), log: this.#log })
    this.#container.addValue(PeerAccess, access)
    this.#teardown.defer('certificates for sidecars', () => access.identity?.[Symbol.dispose]())
  }

  async #bootPlugins(): Promise<void> {
    const endpoint = this.#supervision?.endpoint ?? configuredEndpoint(this.#config)
    if (endpoint !== undefined) this.#container.addValue(ProviderEndpoint, endpoint)
    await this.#host.boot(await loadPlugins(this.#config.plugins, this.#config.baseDirectory))
    await this.#host.startTasks()
  }

  #listen(handle: RequestHandler): Promise<number> {
    const { readTimeoutMs, maxHeaderBytes, maxHeaderLines, replayBodyBytes } = this.#config
    this.#listener = new HttpListener({
      handle,
      readTimeoutMs,
      maxHeaderBytes,
      maxHeaderLines,
      replayBodyBytes,
      onFailure: (error, request) => this.#onFailure(error, request),
      onError: (err) => this.#log.error('a connection could not be accepted', { err }),
      clock: this.#container.resolve(Clock),
    })
    return this.#listener.listen(this.#config.host, this.#config.port)
  }

  #onFailure(error: unknown, request: GatewayRequest): void {
    this.#log.error('a request failed', { method: request.method, path: request.target.split('?', 1)[0], err: error })
  }
}

/** The shorter of two limits, where 0 is none. */
function shortest(a: number, b: number): number {
  if (a === 0 || b === 0) return Math.max(a, b)
  return Math.min(a, b)
}
