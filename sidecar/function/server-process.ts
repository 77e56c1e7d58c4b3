import {
  describeEnd,
  keepRunning,
  replicaHost,
  type FunctionProcess,
  type PortAllocator,
  type ProcessLauncher,
  type Random,
  type Reply,
} from '#core/lean'
import type { FunctionOutput } from './function-output.ts'
import type { FunctionCall, FunctionRunner } from './function-runner.ts'
import { FunctionServer, notAccepting, type FunctionServerDeps } from './function-server.ts'
import type { FunctionSettings } from './function-settings.ts'
import type { UpstreamAddress } from './upstream-url.ts'

/** What a process that was not ready in time has to end by itself. */
const lateGraceMs = 5_000

/** What a server is run with. */
export interface ServerProcessDeps extends FunctionServerDeps {
  readonly launcher: ProcessLauncher
  readonly ports: PortAllocator
  readonly output: FunctionOutput
  readonly random: Random
}

/**
 * A server that is started here, with a port of its own. When it ends it is started again, after a pause that grows with every failure
 * and never gives up: meanwhile the function is not ready, and the reason says why.
 *
 * starting -> ready <-> unready -> starting again after a pause -> ...; `stop` ends it from any of them.
 */
export class ServerProcess implements FunctionRunner {
  readonly #upstream: UpstreamAddress | undefined
  readonly #settings: FunctionSettings
  readonly #deps: ServerProcessDeps
  readonly #stopping = new AbortController()
  #onChange: () => void = () => {}
  #running: Promise<void> = Promise.resolve()
  #process: FunctionProcess | undefined
  #server: FunctionServer | undefined
  /** Why there is no process that takes calls. */
  #trouble = ''

  /** @param upstream where the server insists to listen, or undefined */
  constructor(upstream: UpstreamAddress | undefined, settings: FunctionSettings, deps: ServerProcessDeps) {
    this.#upstream = upstream
    this.#settings = settings
    this.#deps = deps
  }

  get isReady(): boolean {
    return this.#server?.verdict.isReady === true && !this.#stopping.signal.aborted
  }

  get reason(): string {
    return this.isReady ? '' : this.#server?.verdict.problem || this.#trouble
  }

  get origin(): string | undefined {
    return this.#server?.origin
  }

  start(onChange: () => void): void {
    this.#onChange = onChange
    this.#running = this.#run()
  }

  async answer(call: FunctionCall): Promise<Reply> {
    if (this.#server === undefined) throw notAccepting()
    return this.#server.answer(call)
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.#stopping.signal.aborted) {
      this.#stopping.abort()
      this.#onChange()
    }
    await this.#process?.stop(graceMs)
    await this.#running
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop(0)
    this.#deps.launcher[Symbol.dispose]()
  }

  async #run(): Promise<void> {
    const onProblem = (reason: string): void => this.#explain(reason)
    await keepRunning(() => this.#liveOnce(), { ...this.#deps, signal: this.#stopping.signal, onProblem })
    this.#trouble = ''
  }

  /** Starts the process and resolves with what went wrong when it has ended. */
  async #liveOnce(): Promise<string> {
    const { ports } = this.#deps
    const fixed = this.#upstream
    if (fixed !== undefined && !(await ports.takeExactly(fixed.port))) return `port ${fixed.port} is taken`
    const port = fixed?.port ?? (await ports.take())
    if (port === undefined) return 'no free port is left'
    try {
      return this.#stopping.signal.aborted ? '' : await this.#liveAt(fixed ?? ownAddress(port))
    } finally {
      ports.giveBack(port)
    }
  }

  async #liveAt(address: UpstreamAddress): Promise<string> {
    const { clock } = this.#deps
    const { startTimeoutMs } = this.#settings
    const launched = this.#launch(address)
    const life = { wasReady: false, isLate: false }
    const late = (): void => {
      life.isLate = true
      void launched.stop(lateGraceMs)
    }
    const timer = startTimeoutMs === 0 ? undefined : clock.after(startTimeoutMs, late)
    const server = new FunctionServer(address, this.#settings, this.#deps, () => {
      if (server.verdict.isReady) {
        timer?.[Symbol.dispose]()
        life.wasReady = true
        this.#trouble = ''
      }
      this.#onChange()
    })
    this.#server = server
    server.start()
    const end = await launched.ended
    timer?.[Symbol.dispose]()
    this.#server = undefined
    server[Symbol.dispose]()
    if (life.isLate) return `process did not become ready on port ${address.port} within ${startTimeoutMs} ms`
    if (end.kind === 'not_started') return describeEnd(end)
    const when = life.wasReady ? '' : ` before it listened on port ${address.port}`
    return `process ended${when}: ${describeEnd(end)}`
  }

  #launch({ port, origin, basePath }: UpstreamAddress): FunctionProcess {
    const { command, environment, directory } = this.#settings
    const { launcher, output } = this.#deps
    output.say(`Forking fprocess: ${command.join(' ')}, port ${port}`)
    const launched = launcher.launch({
      command,
      environment: { ...environment, PORT: String(port), port: String(port), upstream_url: origin + basePath },
      directory,
      stdin: 'ignore',
    })
    this.#process = launched
    output.attach('stdout', launched)
    output.attach('stderr', launched)
    return launched
  }

  #explain(trouble: string): void {
    this.#trouble = trouble
    this.#deps.output.say(trouble)
    this.#onChange()
  }
}

function ownAddress(port: number): UpstreamAddress {
  return { host: replicaHost, port, origin: `http://${replicaHost}:${port}`, basePath: '' }
}
