import {
  type Clock,
  functionIdentity,
  HttpListener,
  type HttpListenerOptions,
  type InstancePhase,
  labelText,
  type Logger,
  type PeerServers,
  type Random,
  type RequestHandler,
} from '#core/lean'
import { Admin } from './admin/admin.ts'
import { DrainWait } from './admin/drain-wait.ts'
import { FunctionPage } from './admin/function-page.ts'
import { MetricsPage } from './admin/metrics-page.ts'
import { ProcessSeries } from './admin/process-series.ts'
import { Drain } from './drain.ts'
import type { FunctionRunner } from './function/function-runner.ts'
import { Traffic } from './inbound/traffic.ts'
import { InstancePhaseTracker } from './instance-phase.ts'
import { Membership } from './membership/membership.ts'
import type { SidecarSettings } from './settings/sidecar-settings.ts'

/** What a sidecar works with. */
export interface SidecarPorts {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly runner: FunctionRunner
  /** Present where calls are taken over mutual TLS. */
  readonly peers?: PeerServers | undefined
}

type ListenerOptions = Pick<HttpListenerOptions, 'readTimeoutMs' | 'maxConnections' | 'createServer'>

/** Where a sidecar listens. */
export interface SidecarAddresses {
  readonly port: number
  readonly adminPort: number
}

const maxHeaderBytes = 65_536
const maxHeaderLines = 1_000
/** Bodies up to this size go to the function in one piece, and again when its connection turns out to be stale. */
const replayBodyBytes = 8_192
/** Who asks for health or metrics sends a few bytes, at once. */
const adminLimits = { readTimeoutMs: 10_000, maxConnections: 64 }
/** What a function has at least between SIGTERM and SIGKILL, even when calls have used the grace period up. */
const leastStopMs = 500

/**
 * One sidecar: calls and slots on one port, health, metrics and load on another, the function behind them, and word of all that to the
 * gateways.
 *
 * Order: start -> (leave) -> stop. Each of them is done once, however often it is asked for.
 */
export class Sidecar implements AsyncDisposable {
  readonly #settings: SidecarSettings
  readonly #ports: SidecarPorts
  readonly #phase: InstancePhaseTracker
  readonly #traffic: Traffic
  readonly #drain: Drain
  readonly #listeners: { readonly traffic: HttpListener; readonly admin: HttpListener }
  #membership: Membership | undefined
  #stopped: Promise<void> | undefined

  constructor(settings: SidecarSettings, ports: SidecarPorts) {
    const { runner } = ports
    this.#settings = settings
    this.#ports = ports
    this.#phase = new InstancePhaseTracker({ runner, onChange: (phase) => this.#changed(phase) })
    const phase = (): InstancePhase => this.#phase.current
    const traffic = new Traffic(settings, { ...ports, phase })
    this.#traffic = traffic
    this.#drain = new Drain({
      ...ports,
      phase: this.#phase,
      traffic,
      membership: () => this.#membership,
      options: settings.leaving,
    })
    const admin = new Admin({
      phase,
      reason: () => runner.reason,
      load: () => traffic.load,
      metrics: this.#metricsPage(),
      drain: () => this.leave(),
      drainWait: new DrainWait({
        clock: ports.clock,
        isLeaving: () => this.#phase.isLeaving,
        drained: this.#drain.over,
      }),
      hasDrainPath: settings.listen.hasDrainPath,
    })
    this.#listeners = {
      traffic: this.#listener((request) => traffic.handle(request), {
        readTimeoutMs: settings.listen.readTimeoutMs,
        ...(ports.peers === undefined ? {} : { createServer: ports.peers.createServer }),
      }),
      admin: this.#listener((request) => admin.handle(request), adminLimits),
    }
  }

  /**
   * Listens, then begins to run the function, and to report.
   * @throws Error with a Node code when a port cannot be had; nothing has been started then
   */
  async start(): Promise<SidecarAddresses> {
    const addresses = await this.#listen()
    this.#ports.runner.start(() => this.#functionChanged())
    this.#functionChanged()
    this.#membership = this.#member(addresses)
    this.#membership.start()
    return addresses
  }

  /** Takes the instance out of service; resolves when nothing is under way any more, or the grace period is over. Goes on serving. */
  leave(): Promise<void> {
    return this.#drain.begin()
  }

  /** Leaves, then ends: what the grace period left over is cut, and the function is stopped. Never rejects. */
  stop(): Promise<void> {
    this.#stopped ??= this.leave().then(() => this.#end())
    return this.#stopped
  }

  /** Ends at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#membership?.[Symbol.asyncDispose]()
    const { traffic, admin } = this.#listeners
    await Promise.all([traffic[Symbol.asyncDispose](), admin[Symbol.asyncDispose]()])
    await this.#ports.runner[Symbol.asyncDispose]()
  }

  async #listen(): Promise<SidecarAddresses> {
    const { host, port, adminPort } = this.#settings.listen
    const { traffic, admin } = this.#listeners
    try {
      return { port: await traffic.listen(host, port), adminPort: await admin.listen(host, adminPort) }
    } catch (error) {
      await this[Symbol.asyncDispose]()
      throw error
    }
  }

  async #end(): Promise<void> {
    await this.#listeners.traffic.drain(this.#drain.deadline)
    await this.#ports.runner.stop(Math.max(leastStopMs, this.#drain.remainingMs))
    await this[Symbol.asyncDispose]()
  }

  /** Slots follow the function whatever the phase: an instance that leaves still has callers, who may wait for it to become ready. */
  #functionChanged(): void {
    this.#traffic.slots.setOpen(this.#ports.runner.isReady)
    this.#phase.update()
  }

  #changed(phase: InstancePhase): void {
    if (phase === 'leaving') {
      this.#listeners.traffic.announceLeaving()
      return
    }
    this.#membership?.changed()
    if (phase === 'ready') this.#ports.log.info('the function takes calls')
    else this.#ports.log.warn('the function does not take calls any more', { reason: this.#ports.runner.reason })
  }

  #member({ port, adminPort }: SidecarAddresses): Membership {
    const { instance, calls, membership } = this.#settings
    return new Membership({
      ...this.#ports,
      ...membership,
      facts: { ...instance, port, adminPort, secure: this.#ports.peers !== undefined, limit: calls.limit },
      view: () => ({ phase: this.#phase.current, load: this.#traffic.load }),
    })
  }

  #metricsPage(): MetricsPage {
    const { clock } = this.#ports
    const { instance, calls, functionMetrics } = this.#settings
    const traffic = this.#traffic
    const base = labelText('function_name', functionIdentity(instance.name, instance.namespace).key)
    return new MetricsPage({
      clock,
      calls: traffic.metrics,
      process: new ProcessSeries(clock, base),
      reservations: traffic.reservations,
      load: () => traffic.load,
      phase: () => this.#phase.current,
      limit: calls.limit,
      functionPage:
        functionMetrics === ''
          ? undefined
          : new FunctionPage({ clock, where: () => this.#metricsUrl(functionMetrics) }),
      base,
    })
  }

  /** A path is one on the function's own server, whose port may be another one after each of its starts. */
  #metricsUrl(pathOrUrl: string): URL | undefined {
    if (!pathOrUrl.startsWith('/')) return new URL(pathOrUrl)
    const { origin } = this.#ports.runner
    return origin === undefined ? undefined : new URL(origin + pathOrUrl)
  }

  #listener(handle: RequestHandler, options: ListenerOptions): HttpListener {
    const { clock, log } = this.#ports
    return new HttpListener({
      ...options,
      handle,
      maxHeaderBytes,
      maxHeaderLines,
      replayBodyBytes,
      onFailure: (error, { method }) => log.error('a request failed', { method, error }),
      onError: (error) => log.error('connections could not be accepted', { error }),
      clock,
    })
  }
}
