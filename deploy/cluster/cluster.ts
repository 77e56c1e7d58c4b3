import { endOrphans } from '../../plugins/local-provider/replicas/replica-processes.ts'
import { StateDirectory } from '../../plugins/local-provider/state/state-directory.ts'
import type { ClusterOptions } from './cluster-options.ts'
import { layOut, type Layout } from './layout.ts'
import { Program, type ProgramEnd, type ProgramSpec, type ProgramWatcher } from './program.ts'
import { managementUser, type RunFolder } from './run-folder.ts'
import { providerState } from './specs.ts'

/** One gateway of a cluster. */
export class ClusterGateway extends Program {
  /** `http://127.0.0.1:port` of metrics and health. */
  readonly metricsUrl: string

  constructor(spec: ProgramSpec & { readonly metricsUrl: string }, watcher: ProgramWatcher) {
    super(spec, watcher)
    this.metricsUrl = spec.metricsUrl
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    return (await fetch(`${this.metricsUrl}/metrics`, { headers: { connection: 'close' } })).text()
  }
}

/**
 * Several gateways that share a provider and a Redis, behind a balancer: each a process of its own, all on loopback. Tests and
 * the command `npm run cluster` run the same.
 *
 * Order: start -> (whatever is done to its programs)* -> stop, when it shall end in its own time -> dispose, which ends at once what
 * still runs, and removes its folder.
 */
export class Cluster implements AsyncDisposable {
  readonly folder: RunFolder
  readonly balancer: Program
  readonly gateways: readonly ClusterGateway[]
  /** The local provider, unless the cluster uses another one. */
  readonly provider: Program | undefined
  /** The Redis that was started here. */
  readonly redis: Program | undefined
  /** Resolves with the reason when too much of it has ended by itself. */
  readonly failed: Promise<string>
  readonly #fail: (reason: string) => void
  readonly #options: ClusterOptions

  private constructor(options: ClusterOptions, layout: Layout) {
    const { promise, resolve } = Promise.withResolvers<string>()
    const watcher: ProgramWatcher = {
      onLine: (program, line) => options.onLine?.(program.name, line),
      onDeath: (program, end) => this.#onDeath(program, end),
    }
    this.failed = promise
    this.#fail = resolve
    this.#options = options
    this.folder = layout.folder
    this.balancer = new Program(layout.balancer, watcher)
    this.gateways = layout.gateways.map((spec) => new ClusterGateway(spec, watcher))
    this.provider = layout.provider && new Program(layout.provider, watcher)
    this.redis = layout.redis && new Program(layout.redis, watcher)
  }

  /** Plans a cluster without starting anything. @throws MissingPrograms, Error when the balancer's port is taken */
  static async plan(options: ClusterOptions = {}): Promise<Cluster> {
    return new Cluster(options, await layOut(options))
  }

  /** Resolves with a cluster that takes traffic. @throws what {@link Cluster.plan} throws; Error when a program does not start */
  static async start(options: ClusterOptions = {}): Promise<Cluster> {
    const cluster = await Cluster.plan(options)
    try {
      await cluster.start()
      return cluster
    } catch (error) {
      await cluster[Symbol.asyncDispose]()
      throw error
    }
  }

  /** `http://127.0.0.1:port` of the balancer. */
  get url(): string {
    return this.balancer.url
  }

  /** Every program, in the order in which they start. */
  get programs(): readonly Program[] {
    return [this.redis, this.provider, ...this.gateways, this.balancer].filter((one) => one !== undefined)
  }

  /** Value of the `Authorization` header for the management API; undefined when it asks for none. */
  get authorization(): string | undefined {
    if (this.#options.basicAuth !== true) return undefined
    return `Basic ${Buffer.from(`${managementUser}:${this.folder.password}`).toString('base64')}`
  }

  /** A gateway by its number, from 1. */
  gateway(number: number): ClusterGateway {
    const found = this.gateways[number - 1]
    if (found === undefined) throw new Error(`there is no gateway ${number}`)
    return found
  }

  /** Starts everything; each program finds the ones that it needs. @throws Error with the last lines of the one that does not start */
  async start(): Promise<void> {
    try {
      await Promise.all([this.redis?.start(), this.provider?.start()])
      await Promise.all(this.gateways.map((one) => one.start()))
      await this.balancer.start()
    } catch (error) {
      await this.kill()
      throw error
    }
  }

  /** Restarts the gateways, one after the other, as an update does. */
  async roll(): Promise<void> {
    for (const one of this.gateways) await one.restart()
  }

  /**
   * Stops everything in its own time: nothing new from outside first, then the gateways with what they have under way, then
   * what they needed for it.
   */
  async stop(): Promise<void> {
    await this.balancer.stop()
    await Promise.all(this.gateways.map((one) => one.stop()))
    await this.provider?.stop()
    await this.redis?.stop()
    this.#endFunctions()
  }

  /** Ends everything at once, functions too. */
  async kill(): Promise<void> {
    await Promise.all(this.programs.map((one) => one.kill()))
    this.#endFunctions()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill()
    this.folder.remove()
  }

  /** A provider that was killed has left the processes of its functions behind. */
  #endFunctions(): void {
    if (this.provider === undefined) return
    endOrphans(new StateDirectory(providerState(this.folder)))
  }

  #onDeath(program: Program, end: ProgramEnd): void {
    const how = end.signal === null ? `exit code ${end.code}` : `signal ${end.signal}`
    this.#options.onDeath?.({ program: program.name, how, lastLines: program.lastLines })
    if (program === this.provider) this.#fail(`the provider ended (${how})`)
    else if (this.gateways.every(({ isRunning }) => !isRunning)) this.#fail('no gateway is left')
  }
}
