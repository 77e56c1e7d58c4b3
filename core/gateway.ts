import type { GatewayConfig as Config } from './config/gateway-config.ts'
import { GatewayConfig } from './config/gateway-config.ts'
import { programVersion } from './config/version.ts'
import { Container } from './container/container.ts'
import { coreProviders, loadStore, MetricsPage, ProcessSeries, StoreModule } from './container/core-providers.ts'
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
import { Readiness } from './readiness.ts'
import { coreRoutes } from './routing/core-routes.ts'
import { FunctionRouter, functionPrefix } from './routing/function-router.ts'
import { SystemRouter } from './routing/system-router.ts'
import { InvocationEvents } from './telemetry/invocation-events.ts'
import { Logger } from './telemetry/logger.ts'
import { MetricsServer } from './telemetry/metrics-server.ts'
import { Clock } from './time/clock.ts'

/** Where a running gateway listens. */
export interface GatewayAddresses {
  readonly port: number
  readonly metricsPort: number
}

/**
 * One gateway: core, its plugins, and the two listeners.
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
  #listener: HttpListener | undefined

  constructor(deps: { config: Config; clock: Clock; log: Logger }) {
    this.#config = deps.config
    this.#log = deps.log
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
      this.#container.addValue(StoreModule, await loadStore(this.#config))
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

  /** Turns readiness off; traffic is served as before. */
  announceDraining(): void {
    this.#readiness.draining()
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

  async #startMetrics(): Promise<number> {
    this.#container.resolve(ProcessSeries)
    const server = new MetricsServer({
      metrics: this.#container.resolve(MetricsPage),
      readiness: () => this.#readiness.reasons(),
      clock: this.#container.resolve(Clock),
      log: this.#log,
    })
    this.#teardown.defer('metrics server', () => server[Symbol.asyncDispose]())
    return server.listen(this.#config.host, this.#config.metricsPort)
  }

  async #bootPlugins(): Promise<void> {
    const endpoint = configuredEndpoint(this.#config)
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
