import type { Reply } from '#core/lean'
import type { FunctionCall, FunctionRunner } from './function-runner.ts'
import { FunctionServer, type FunctionServerDeps } from './function-server.ts'
import type { FunctionSettings } from './function-settings.ts'
import type { UpstreamAddress } from './upstream-url.ts'

/** A server that somebody else runs: the function's container in the same pod. It is asked and called, never started or ended. */
export class FrontedServer implements FunctionRunner {
  readonly #server: FunctionServer
  #onChange: () => void = () => {}
  #isStopped = false

  constructor(address: UpstreamAddress, settings: FunctionSettings, deps: FunctionServerDeps) {
    this.#server = new FunctionServer(address, settings, deps, () => this.#onChange())
  }

  get isReady(): boolean {
    return this.#server.verdict.isReady
  }

  get reason(): string {
    return this.#server.verdict.problem
  }

  get origin(): string {
    return this.#server.origin
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    this.#server.start()
  }

  answer(call: FunctionCall): Promise<Reply> {
    return this.#server.answer(call)
  }

  async stop(_graceMs: number): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    this.#server[Symbol.dispose]()
    this.#onChange()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0)
  }
}
