import { spawn, type ChildProcess } from 'node:child_process'
import { createWriteStream, type WriteStream } from 'node:fs'
import { findProgram } from './find-program.ts'
import { LineReader } from './line-reader.ts'

/** How a process ended. */
export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** What to run, and how to deal with it. */
export interface ProgramSpec {
  /** As logs and messages show it. */
  readonly name: string
  /** Where others reach it, without a path. */
  readonly url: string
  /** Where its output goes. */
  readonly logFile: string
  readonly command: string
  readonly args: readonly string[]
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** Asks it to end in its own time. */
  readonly stopSignal: NodeJS.Signals
  /** Milliseconds until one that was asked is killed. */
  readonly stopWithinMs: number
  /** What the kernel sends it when the process that started it is gone, however that ended. */
  readonly deathSignal: 'KILL' | 'TERM'
  readonly isReady: () => Promise<boolean>
}

/** Who watches programs. */
export interface ProgramWatcher {
  /** A line that a program wrote. */
  onLine(program: Program, line: string): void
  /** A program ended that nobody had asked to. */
  onDeath(program: Program, end: ProgramEnd): void
}

const startWithinMs = 20_000
const askEveryMs = 10
const keptLines = 20

/**
 * One program of the cluster: a process at a time, in a session of its own, so that Ctrl-C reaches only who knows in which
 * order to stop. Its output goes to a file, and its last lines are kept.
 *
 * Order: start -> (kill | stop | pause -> resume)* -> start again or nothing.
 */
export class Program {
  readonly spec: ProgramSpec
  readonly #watcher: ProgramWatcher
  readonly #lastLines: string[] = []
  #child: ChildProcess | undefined
  #exited: Promise<ProgramEnd> = Promise.resolve({ code: null, signal: null })
  #isWanted = false

  constructor(spec: ProgramSpec, watcher: ProgramWatcher) {
    this.spec = spec
    this.#watcher = watcher
  }

  get name(): string {
    return this.spec.name
  }

  get url(): string {
    return this.spec.url
  }

  get isRunning(): boolean {
    return this.#child !== undefined
  }

  /** @throws Error while it does not run */
  get pid(): number {
    const pid = this.#child?.pid
    if (pid === undefined) throw new Error(`${this.name} does not run`)
    return pid
  }

  /** Resolves when the process that runs now, or ran last, has ended. */
  get exited(): Promise<ProgramEnd> {
    return this.#exited
  }

  /** What it wrote last, a line each. */
  get lastLines(): readonly string[] {
    return this.#lastLines
  }

  /**
   * Starts a process and resolves when it is ready.
   * @throws Error with its last lines when it ends first or takes too long; nothing is left running then
   */
  async start(): Promise<void> {
    if (this.isRunning) throw new Error(`${this.name} runs already`)
    this.#lastLines.length = 0
    this.#run()
    const untilMs = performance.now() + startWithinMs
    while (this.isRunning && performance.now() < untilMs) {
      const isReady = await this.spec.isReady().catch(() => false)
      this.#isWanted = isReady && this.isRunning
      if (this.#isWanted) return
      await new Promise((resolve) => setTimeout(resolve, askEveryMs))
    }
    const problem = this.isRunning ? `was not ready within ${startWithinMs} ms` : 'ended instead of starting'
    await this.kill()
    throw new Error([`${this.name} ${problem}; its last lines:`, ...this.#lastLines].join('\n  '))
  }

  /** Asks it to end, kills it when it does not, and resolves with how it ended. */
  async stop(): Promise<ProgramEnd> {
    this.#isWanted = false
    this.resume()
    this.signal(this.spec.stopSignal)
    const timer = setTimeout(() => this.signal('SIGKILL'), this.spec.stopWithinMs)
    const end = await this.#exited
    clearTimeout(timer)
    return end
  }

  /** Ends it as `kill -9` does. */
  kill(): Promise<ProgramEnd> {
    this.#isWanted = false
    this.signal('SIGKILL')
    return this.#exited
  }

  async restart(): Promise<void> {
    await this.stop()
    await this.start()
  }

  /** Has the kernel give it no time, while its connections stay open: as an overloaded machine looks from outside. */
  pause(): void {
    this.signal('SIGSTOP')
  }

  resume(): void {
    this.signal('SIGCONT')
  }

  signal(name: NodeJS.Signals): void {
    this.#child?.kill(name)
  }

  #run(): void {
    const child = spawnBound(this.spec)
    const file = createWriteStream(this.spec.logFile, { flags: 'a', mode: 0o600 })
    file.on('error', () => {}) // a full disk must not stop what is logged
    this.#child = child
    const forget = endWithThisProcess(child, this.spec)
    const { promise, resolve } = Promise.withResolvers<ProgramEnd>()
    this.#exited = promise
    child.once('error', (error) => this.#take(`cannot start: ${error.message}`, file))
    child.once('close', (code, signal) => {
      forget()
      this.#child = undefined
      file.end()
      resolve({ code, signal })
      if (this.#isWanted) this.#watcher.onDeath(this, { code, signal })
    })
    for (const stream of [child.stdout, child.stderr]) {
      const lines = new LineReader((line) => this.#take(line, file))
      stream?.on('data', (piece: Buffer) => lines.push(piece))
      stream?.once('end', () => lines.end())
    }
  }

  #take(line: string, file: WriteStream): void {
    file.write(`${line}\n`)
    this.#lastLines.push(line)
    if (this.#lastLines.length > keptLines) this.#lastLines.shift()
    this.#watcher.onLine(this, line)
  }
}

/**
 * Starts a process that the kernel ends when this one is gone, even by SIGKILL, which leaves no chance to tell it. Without the
 * program setpriv (util-linux) it only ends when this process ends in any other way.
 *
 * @see prctl(2), PR_SET_PDEATHSIG; setpriv(1)
 */
function spawnBound({ command, args, env, deathSignal }: ProgramSpec): ChildProcess {
  const setpriv = findProgram('setpriv')
  const bound = setpriv === undefined ? [] : [setpriv, '--pdeathsig', deathSignal]
  const [program = '', ...rest] = [...bound, command, ...args]
  return spawn(program, rest, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true })
}

const running = new Map<ChildProcess, ProgramSpec>()

process.on('exit', () => {
  for (const [child, { deathSignal }] of running) child.kill(`SIG${deathSignal}`)
})

/** @returns what to call when it has ended */
function endWithThisProcess(child: ChildProcess, spec: ProgramSpec): () => void {
  running.set(child, spec)
  return () => running.delete(child)
}
