import { textReply, type Clock, type Reply } from '#core'
import type { Workload } from '../functions/workload.ts'
import type { FunctionProcess } from '../processes/function-process.ts'
import type { ProcessLauncher } from '../processes/process-launcher.ts'
import { Refusal } from '../refusal.ts'
import type { FunctionCall, Replica } from '../replicas/replica.ts'
import type { ReplicaFacts } from '../replicas/replica-deps.ts'
import { Slots } from '../replicas/slots.ts'
import { callEnvironment } from './call-environment.ts'
import { ClassicCall } from './classic-call.ts'

/** A replica that is no process but the right to fork one per call: ready at once, and free while nobody calls. */
export class ClassicReplica implements Replica {
  readonly instance: string
  readonly reason = ''
  readonly #workload: Workload
  readonly #deps: { readonly launcher: ProcessLauncher; readonly clock: Clock }
  readonly #facts: ReplicaFacts
  readonly #slots: Slots
  readonly #processes = new Set<FunctionProcess>()
  #isReady = false

  constructor(
    workload: Workload,
    deps: { readonly launcher: ProcessLauncher; readonly clock: Clock },
    facts: ReplicaFacts,
  ) {
    this.instance = facts.instance
    this.#workload = workload
    this.#deps = deps
    this.#facts = facts
    this.#slots = new Slots(workload.settings.maxInflight)
  }

  get isReady(): boolean {
    return this.#isReady
  }

  get groups(): readonly number[] {
    return [...this.#processes].flatMap(({ pid }) => pid ?? [])
  }

  start(onChange: () => void): void {
    this.#isReady = true
    onChange()
  }

  async answer(call: FunctionCall): Promise<Reply> {
    if (call.request.upgrade !== undefined) return textReply(400, 'a classic function cannot change the protocol\n')
    const { name } = this.#workload
    if (this.#deps.launcher.isFull) throw new Refusal(429, 'too many function processes run (option maxProcesses)')
    if (!this.#slots.take()) throw new Refusal(429, `function ${name} answers as many calls as it may`)
    const reply = await this.#fork(call)
    reply.onEnd(() => this.#slots.release())
    return reply
  }

  async stop(): Promise<void> {
    this.#isReady = false
    const patience = new AbortController()
    const grace = this.#deps.clock.sleep(this.#facts.limits.stopGraceMs, patience.signal).catch(() => {})
    await Promise.race([this.#slots.idle(), grace])
    patience.abort()
    await Promise.all([...this.#processes].map((one) => one.stop(0)))
  }

  #fork(call: FunctionCall): Promise<Reply> {
    const { command, environment, home, settings } = this.#workload
    const { launcher, clock } = this.#deps
    this.#log(`Forking fprocess: ${command.join(' ')}`)
    const process = launcher.launch({
      command,
      environment: { ...environment, ...callEnvironment(call) },
      directory: home,
      stdin: 'pipe',
    })
    this.#processes.add(process)
    void process.ended.then(() => this.#processes.delete(process))
    const { stderr } = process.pipes
    this.#facts.log.attach(this.instance, stderr, { name: 'stderr', prefixed: settings.prefixLogs })
    const log = (text: string): void => this.#log(text)
    return new ClassicCall(call.request, { process, workload: this.#workload, clock, log }).answer()
  }

  #log(text: string): void {
    this.#facts.log.watchdog(this.instance, text)
  }
}
