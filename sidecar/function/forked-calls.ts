import { GatewayError, textReply, type Clock, type FunctionProcess, type ProcessLauncher, type Reply } from '#core/lean'
import { callEnvironment } from './call-environment.ts'
import { ForkedCall } from './forked-call.ts'
import type { FunctionOutput } from './function-output.ts'
import type { FunctionCall, FunctionRunner } from './function-runner.ts'
import { notAccepting } from './function-server.ts'
import type { FunctionSettings } from './function-settings.ts'

/** What programs are forked with. */
export interface ForkedCallsDeps {
  readonly launcher: ProcessLauncher
  readonly output: FunctionOutput
  readonly clock: Clock
}

/** A function that is no process but the right to fork one per call: ready at once, and free while nobody calls. */
export class ForkedCalls implements FunctionRunner {
  readonly reason = ''
  readonly origin = undefined
  readonly #settings: FunctionSettings
  readonly #deps: ForkedCallsDeps
  readonly #processes = new Set<FunctionProcess>()
  #onChange: () => void = () => {}
  #isReady = false

  constructor(settings: FunctionSettings, deps: ForkedCallsDeps) {
    this.#settings = settings
    this.#deps = deps
  }

  get isReady(): boolean {
    return this.#isReady
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    this.#isReady = true
    onChange()
  }

  async answer(call: FunctionCall): Promise<Reply> {
    if (!this.#isReady) throw notAccepting()
    const { request, timeoutMs } = call
    if (request.upgrade !== undefined) return textReply(400, 'a classic function cannot change the protocol\n')
    if (this.#deps.launcher.isFull) throw new GatewayError('rate_limited', 'too many processes of the function run')
    const { readTimeoutMs, contentType } = this.#settings
    const { clock, output } = this.#deps
    const process = this.#fork(call)
    const say = (text: string): void => output.say(text)
    return new ForkedCall(request, {
      process,
      clock,
      execTimeoutMs: timeoutMs,
      readTimeoutMs,
      contentType,
      say,
    }).answer()
  }

  async stop(graceMs: number): Promise<void> {
    if (this.#isReady) {
      this.#isReady = false
      this.#onChange()
    }
    await Promise.all([...this.#processes].map((one) => one.stop(graceMs)))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0)
    this.#deps.launcher[Symbol.dispose]()
  }

  #fork(call: FunctionCall): FunctionProcess {
    const { command, environment, directory } = this.#settings
    const { launcher, output } = this.#deps
    output.say(`Forking fprocess: ${command.join(' ')}`)
    const process = launcher.launch({
      command,
      environment: { ...environment, ...callEnvironment(call) },
      directory,
      stdin: 'pipe',
    })
    this.#processes.add(process)
    void process.ended.then(() => this.#processes.delete(process))
    output.attach('stderr', process)
    return process
  }
}
