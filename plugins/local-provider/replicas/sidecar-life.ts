import { describeEnd, replicaHost, type FunctionProcess, type InstancePhase, type InstanceReport } from '#core'
import type { Workload } from '../functions/workload.ts'
import type { FunctionProcesses } from './function-processes.ts'
import { whyNotReady } from './readiness-question.ts'
import type { ReplicaDeps, ReplicaFacts } from './replica-deps.ts'
import { Silence } from './silence.ts'

/** What a sidecar may take to leave the directory and to end, besides its grace for calls and its grace for the function. */
const leavingMs = 3_000

/** Where one sidecar and its function listen. */
export interface LifePorts {
  /** Of the sidecar. */
  readonly calls: number
  /** Of the function's server; undefined for a function that is forked per call. */
  readonly upstream: number | undefined
}

/** One process of a sidecar, from its start to its end, and what it reports meanwhile. Order: run -> stop. */
export class SidecarLife {
  readonly #workload: Workload
  readonly #deps: ReplicaDeps
  readonly #facts: ReplicaFacts & { readonly ports: LifePorts }
  readonly #function: FunctionProcesses
  readonly #silence: Silence
  #onChange: () => void = () => {}
  #process: FunctionProcess | undefined
  #phase: InstancePhase | undefined
  #adminPort = 0
  #problem = ''
  #isStopping = false
  #overdue: Disposable | undefined

  constructor(workload: Workload, deps: ReplicaDeps, facts: ReplicaFacts & { readonly ports: LifePorts }) {
    this.#workload = workload
    this.#deps = deps
    this.#facts = facts
    this.#function = deps.folders.of(facts.instance)
    this.#silence = new Silence(deps.clock, {
      onChange: () => this.#onChange(),
      onLost: (silentMs) => this.#giveUp(`sidecar was silent for ${silentMs} ms`),
    })
  }

  /** Whether the function takes calls, by the word of the sidecar. */
  get isReady(): boolean {
    return this.#phase === 'ready' && !this.#silence.isTooLong && this.#process?.isRunning === true
  }

  /** `http://address:port` where calls go. */
  get origin(): string {
    return `http://${replicaHost}:${this.#facts.ports.calls}`
  }

  /** Groups of the sidecar and of the function's processes. */
  get groups(): readonly number[] {
    const pid = this.#process?.isRunning === true ? this.#process.pid : undefined
    return pid === undefined ? [] : [pid, ...this.#function.groups]
  }

  /** What keeps the function from being ready, by the word of the sidecar; empty when nothing does, or it does not say. */
  async whyNotReady(): Promise<string> {
    if (this.#silence.isTooLong) return 'its sidecar does not report'
    return this.#adminPort === 0 ? '' : whyNotReady(this.#deps.http, this.#adminPort)
  }

  /** Runs the sidecar. Resolves with what went wrong when it has ended, and everything that it started. */
  async run(onChange: () => void): Promise<string> {
    this.#onChange = onChange
    const reporting = this.#deps.desk.expect({
      id: this.#facts.instance,
      name: this.#workload.name,
      namespace: this.#workload.namespace,
      address: replicaHost,
      port: this.#facts.ports.calls,
      onReport: (report) => this.#take(report),
      onLease: (ttlMs) => this.#silence.allow(ttlMs),
    })
    const launched = this.#launch()
    this.#process = launched
    this.#silence.broken()
    const end = await launched.ended
    this.#silence[Symbol.dispose]()
    this.#overdue?.[Symbol.dispose]()
    this.#function.end()
    reporting[Symbol.dispose]()
    return this.#problem || `sidecar ended: ${describeEnd(end)}`
  }

  /** Asks the sidecar to leave, to finish its calls and to end the function; kills it when it takes longer than it may. */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#process?.stop(this.#stopMs())
  }

  #launch(): FunctionProcess {
    const { launcher, program } = this.#deps
    const { instance, ports, log, limits } = this.#facts
    const launched = launcher.launch(
      program.launchOf(this.#workload, {
        instance,
        ports,
        records: this.#function.folder,
        startTimeoutMs: limits.startTimeoutMs,
        graceMs: this.#graceMs(),
      }),
    )
    log.attach(instance, launched.pipes.stdout)
    log.attach(instance, launched.pipes.stderr)
    return launched
  }

  #take({ record: { phase, adminPort } }: InstanceReport): void {
    this.#silence.broken()
    this.#adminPort = adminPort
    if (phase === this.#phase) return
    this.#phase = phase
    this.#onChange()
    if (phase === 'leaving' && !this.#isStopping) this.#endDeparted()
  }

  /** Somebody else has taken it out of service, for good. No signal asks it to end: it would be its second, and cut its calls. */
  #endDeparted(): void {
    this.#problem = 'sidecar left by itself'
    this.#process?.pipes.stdin?.end()
    this.#overdue = this.#deps.clock.after(this.#stopMs(), () => this.#process?.signal('SIGKILL'))
  }

  /** It does not even say any more whether it leaves. */
  #giveUp(problem: string): void {
    this.#problem = problem
    this.#process?.signal('SIGKILL')
  }

  /** Longest time from being asked to end until it has. */
  #stopMs(): number {
    return 2 * this.#graceMs() + leavingMs
  }

  /** No call can take longer than `exec_timeout`, so neither does an end. */
  #graceMs(): number {
    const { execTimeoutMs } = this.#workload.settings
    const { stopGraceMs } = this.#facts.limits
    return execTimeoutMs > 0 ? Math.min(execTimeoutMs, stopGraceMs) : stopGraceMs
  }
}
