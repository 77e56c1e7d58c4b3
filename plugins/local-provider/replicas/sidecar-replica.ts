import { GatewayError, keepRunning, type Reply } from '#core'
import type { Workload } from '../functions/workload.ts'
import { ReplicaCalls } from './replica-calls.ts'
import type { FunctionCall, Replica } from './replica.ts'
import type { ReplicaDeps, ReplicaFacts } from './replica-deps.ts'
import { SidecarLife, type LifePorts } from './sidecar-life.ts'

/**
 * A sidecar with the function behind it. When the sidecar ends it is started again, after a pause that grows with every failure; a
 * function that ends is started again by its sidecar.
 *
 * starting -> ready <-> not ready -> starting again after a pause -> ...; `stop` ends it from any of them.
 */
export class SidecarReplica implements Replica {
  readonly instance: string
  readonly #workload: Workload
  readonly #deps: ReplicaDeps
  readonly #facts: ReplicaFacts
  readonly #calls: ReplicaCalls
  readonly #stopping = new AbortController()
  #onChange: () => void = () => {}
  #running: Promise<void> = Promise.resolve()
  #life: SidecarLife | undefined
  #reason = ''

  constructor(workload: Workload, deps: ReplicaDeps, facts: ReplicaFacts) {
    this.instance = facts.instance
    this.#workload = workload
    this.#deps = deps
    this.#facts = facts
    this.#calls = new ReplicaCalls(deps.forwarder)
  }

  get isReady(): boolean {
    return this.#life?.isReady === true && !this.#stopping.signal.aborted
  }

  get hasRoom(): boolean {
    const { maxInflight } = this.#workload.settings
    return maxInflight === 0 || this.#calls.inFlight < maxInflight
  }

  get reason(): string {
    return this.isReady ? '' : this.#reason
  }

  get groups(): readonly number[] {
    return this.#life?.groups ?? []
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    this.#running = this.#run().finally(() => this.#deps.desk.forget(this.instance))
  }

  async explain(): Promise<void> {
    const life = this.#life
    if (life === undefined || life.isReady) return
    const why = await life.whyNotReady()
    if (this.#life === life) this.#reason = why
  }

  async answer(call: FunctionCall): Promise<Reply> {
    const origin = this.#life?.origin
    if (origin === undefined)
      throw new GatewayError('upstream_failed', 'the replica is gone', { details: { accepted: false } })
    const { name, settings } = this.#workload
    return this.#calls.send(call, { name, instance: this.instance, origin, execTimeoutMs: settings.execTimeoutMs })
  }

  async stop(): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort()
      await this.#life?.stop()
    }
    await this.#running
  }

  #run(): Promise<void> {
    const onProblem = (reason: string): void => this.#explain(reason)
    return keepRunning(() => this.#liveOnce(), { ...this.#deps, signal: this.#stopping.signal, onProblem })
  }

  /** Runs a sidecar and resolves with what went wrong when it has ended. */
  async #liveOnce(): Promise<string> {
    if (this.#deps.launcher.isFull) return 'as many replicas run as may at a time (option maxProcesses)'
    const taken: number[] = []
    try {
      const ports = await this.#takePorts(taken)
      if (typeof ports === 'string') return ports
      return this.#stopping.signal.aborted ? '' : await this.#liveOn(ports)
    } finally {
      for (const port of taken) this.#deps.ports.giveBack(port)
    }
  }

  /** @param taken is given every port that is to be given back @returns why there are none, or the ports */
  async #takePorts(taken: number[]): Promise<LifePorts | string> {
    const { fixedPort, mode } = this.#workload.settings
    const { ports } = this.#deps
    if (fixedPort !== undefined) {
      if (!(await ports.takeExactly(fixedPort))) return `port ${fixedPort} is taken`
      taken.push(fixedPort)
    }
    const wanted = mode === 'http' && fixedPort === undefined ? 2 : 1
    for (let i = 0; i < wanted; i += 1) {
      const port = await ports.take()
      if (port === undefined) return 'no free port is left (option replicaPorts)'
      taken.push(port)
    }
    const [upstream] = taken
    return { calls: taken.at(-1) ?? 0, upstream: mode === 'http' ? upstream : undefined }
  }

  async #liveOn(ports: LifePorts): Promise<string> {
    const life = new SidecarLife(this.#workload, this.#deps, { ...this.#facts, ports })
    this.#life = life
    const problem = await life.run(() => this.#onChange())
    this.#life = undefined
    this.#deps.forwarder.forget?.(life.origin)
    return problem
  }

  #explain(reason: string): void {
    this.#reason = reason
    this.#facts.log.watchdog(this.instance, reason)
    this.#onChange()
  }
}
