import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import type { Clock } from '../time/clock.ts'
import { FunctionProcess } from './function-process.ts'
import type { ProcessRecords } from './process-records.ts'

/** What to run. */
export interface LaunchRequest {
  /** Program and arguments; the program is looked up in the environment's `PATH`. */
  readonly command: readonly string[]
  /** The whole environment: nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>
  /** Working directory; made when it is missing. */
  readonly directory: string
  readonly stdin: 'pipe' | 'ignore'
}

/** Starts function processes and knows all that run, so that none is left behind. */
export class ProcessLauncher implements Disposable {
  readonly #records: ProcessRecords | undefined
  readonly #clock: Clock
  readonly #maxProcesses: number
  readonly #running = new Set<FunctionProcess>()
  readonly #onExit = (): void => this.killAll()

  /**
   * @param deps.records absent where nobody looks for what a crash leaves behind
   * @param deps.maxProcesses most processes at a time
   */
  constructor(deps: { records?: ProcessRecords | undefined; clock: Clock; maxProcesses: number }) {
    this.#records = deps.records
    this.#clock = deps.clock
    this.#maxProcesses = deps.maxProcesses
    // The last chance when this process ends without closing what it started: an uncaught error, a second Ctrl-C.
    process.on('exit', this.#onExit)
  }

  /** Whether no further process may be started now. */
  get isFull(): boolean {
    return this.#running.size >= this.#maxProcesses
  }

  /** Starts a process. Never throws: one that cannot be started has ended as `not_started`. */
  launch(request: LaunchRequest): FunctionProcess {
    const started = new FunctionProcess(this.isFull ? tooMany(this.#maxProcesses) : spawnLeader(request), this.#clock)
    const { pid } = started
    if (pid === undefined) return started
    this.#running.add(started)
    this.#record(started, pid)
    void started.ended.then(() => {
      this.#running.delete(started)
      this.#records?.remove(pid)
    })
    return started
  }

  /** Kills everything at once, without waiting. */
  killAll(): void {
    for (const one of this.#running) one.signal('SIGKILL')
  }

  [Symbol.dispose](): void {
    process.off('exit', this.#onExit)
    this.killAll()
  }

  /** A process that cannot be recorded is not left running: nobody would find it after a crash. */
  #record(started: FunctionProcess, pid: number): void {
    try {
      this.#records?.add(pid)
    } catch {
      started.signal('SIGKILL')
    }
  }
}

function spawnLeader({ command, environment, directory, stdin }: LaunchRequest): ChildProcess | Error {
  const [program = '', ...args] = command
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 })
    return spawn(program, args, {
      cwd: directory,
      env: environment,
      stdio: [stdin, 'pipe', 'pipe'],
      detached: true, // setsid: a group and session of its own
    })
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error)) // an argument or environment beyond the system's limits
  }
}

function tooMany(maxProcesses: number): Error {
  return new Error(`${maxProcesses} function processes run already`)
}
