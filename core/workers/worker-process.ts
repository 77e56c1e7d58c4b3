import type { Worker as ClusterWorker } from 'node:cluster'
import type { Readable } from 'node:stream'
import { errorCodes, type ErrorCode } from '../errors/codes.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Clock } from '../time/clock.ts'
import type { Line } from './line.ts'
import { ProcessLine } from './process-line.ts'
import { Questions } from './questions.ts'
import {
  heartbeatTopic,
  helloTopic,
  lifecycleTopic,
  type Heartbeat,
  type WorkerCommand,
  type WorkerStart,
  type WorkerStarted,
} from './worker-messages.ts'

/** How a process ended, in words for the log. */
export interface WorkerEnd {
  readonly code: number | null
  readonly signal: string | null
}

/** Longest time from the start of a process to its first message, on a machine that is very busy. */
const helloPatienceMs = 60_000
/** Time beyond its own limits for a plugin that hangs, before the start of a worker counts as failed. */
const startPatienceMs = 60_000
/** Time for a worker to close everything, and then to exit. */
const closePatienceMs = 10_000

/** A worker as its supervisor sees it: one process, from its fork to its end. */
export class WorkerProcess {
  /** Grows from process to process: a worker that takes another one's place has another number. */
  readonly number: number
  readonly line: Line
  /** Resolves when the process has ended. */
  readonly ended: Promise<WorkerEnd>
  readonly #process: ClusterWorker
  readonly #clock: Clock
  readonly #questions: Questions
  readonly #hello: Promise<void>
  #heartbeat: Heartbeat = { reasons: ['a worker is starting'] }
  #heardAtMs: number
  #draining: Promise<void> | undefined
  #closing: Promise<boolean> | undefined

  constructor(forked: ClusterWorker, clock: Clock) {
    this.number = forked.id
    this.#process = forked
    this.#clock = clock
    this.#heardAtMs = clock.monotonicMs()
    this.line = new ProcessLine(forked.process)
    this.#questions = new Questions({ line: this.line, topic: lifecycleTopic, clock })
    this.#hello = new Promise((resolve) => this.line.receive(helloTopic, () => resolve()))
    this.line.receive(heartbeatTopic, (heartbeat) => this.#hear(heartbeat as Heartbeat)) // the worker is this program
    this.ended = new Promise((resolve) => {
      forked.once('exit', (code: number | null, signal: string | null) => resolve({ code, signal }))
      forked.on('error', (error: Error) => {
        // What could not even be started does not exit.
        if (this.pid === undefined) resolve({ code: null, signal: error.message })
      })
    })
  }

  get pid(): number | undefined {
    return this.#process.process.pid
  }

  /** What the process writes: standard output, then standard error. */
  get outputs(): readonly [Readable | null, Readable | null] {
    return [this.#process.process.stdout, this.#process.process.stderr]
  }

  /** Why it wants no traffic, as it said last. */
  get reasons(): readonly string[] {
    return this.#heartbeat.reasons
  }

  /** Milliseconds since it was last heard of. */
  get silentMs(): number {
    return this.#clock.monotonicMs() - this.#heardAtMs
  }

  /** Counts the worker as heard now: its silence was not its own. */
  excuse(): void {
    this.#heardAtMs = this.#clock.monotonicMs()
  }

  /** Resolves when the process can be told to start. @throws Error when it ends, or says nothing in time */
  ready(): Promise<void> {
    return this.#within(this.#hello, helloPatienceMs)
  }

  /**
   * Has the process listen and serve.
   * @returns the port
   * @throws GatewayError with the worker's reason; Error when the process ends, or does not answer in time
   */
  async start({ config, provider }: Omit<WorkerStart, 'worker'>): Promise<number> {
    const wanted: WorkerCommand = { command: 'start', start: { worker: this.number, config, provider } }
    const patienceMs = config.pluginSetupTimeoutMs * (config.plugins.length + 1) + startPatienceMs
    const started = (await this.#questions.ask(wanted, patienceMs)) as WorkerStarted // the worker is this program
    this.excuse()
    if ('port' in started) return started.port
    throw asFailure(started.failure)
  }

  announceDraining(): void {
    this.#tell({ command: 'announceDraining' })
  }

  /** Resolves when what was under way is finished, or cut after `graceMs`, or the process is gone. Never rejects. */
  drain(graceMs: number): Promise<void> {
    this.#draining ??= this.#ask({ command: 'drain', graceMs }, graceMs + closePatienceMs).then(() => {})
    return this.#draining
  }

  /** Ends a drain under way. */
  cut(): void {
    this.#tell({ command: 'cut' })
  }

  /** Has the process close everything and exit; one that does not is killed. @returns whether all could be closed */
  close(): Promise<boolean> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  /** Ends the process at once. */
  kill(): void {
    this.#process.process.kill('SIGKILL')
  }

  #hear(heartbeat: Heartbeat): void {
    this.#heartbeat = heartbeat
    this.excuse()
  }

  async #close(): Promise<boolean> {
    const code = await this.#ask({ command: 'close' }, closePatienceMs)
    if (this.#process.process.connected) this.#process.process.disconnect()
    const limit = this.#clock.after(closePatienceMs, () => this.kill())
    await this.ended
    limit[Symbol.dispose]()
    return code === 0
  }

  /** Nobody waits for the answer: a worker that is gone needs to be told nothing. */
  #tell(command: WorkerCommand): void {
    void this.#ask(command, closePatienceMs)
  }

  /** @returns undefined when there is no answer, because the process is gone or hangs. Never rejects */
  #ask(command: WorkerCommand, timeoutMs: number): Promise<unknown> {
    const gone = this.ended.then(() => undefined)
    return Promise.race([this.#questions.ask(command, timeoutMs).catch(() => undefined), gone])
  }

  async #within(awaited: Promise<void>, patienceMs: number): Promise<void> {
    const late = Promise.withResolvers<never>()
    const limit = this.#clock.after(patienceMs, () =>
      late.reject(new Error('the worker process did not start in time')),
    )
    const gone = this.ended.then(({ code, signal }) => {
      throw new Error(`the worker process ended while it started (${signal ?? `exit code ${code}`})`)
    })
    try {
      await Promise.race([awaited, late.promise, gone])
    } finally {
      gone.catch(() => {})
      limit[Symbol.dispose]()
    }
  }
}

function asFailure({ code, message }: { readonly code: ErrorCode; readonly message: string }): Error {
  return code in errorCodes && code !== 'internal' ? new GatewayError(code, message) : new Error(message)
}
