import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { onAnyCpu } from '../pinning.ts'

/** What the sidecars of a process do. */
export interface ReportersPlan {
  readonly instances: number
  readonly perFunction: number
  /** Between two heartbeats of one. */
  readonly everyMs: number
  /** Base URLs of gateways, or the URL of a Redis. */
  readonly targets: readonly string[]
  /** Each of them every target, each of them one of the targets, or the Redis its own lease. */
  readonly tells: 'all' | 'one' | 'redis'
}

/** What they did since they were asked last. */
export interface ReportersCount {
  readonly sent: number
  /** Answered with something else than 200, or OK. */
  readonly refused: number
  /** Not answered, because the connection broke. */
  readonly lost: number
  /** From a report to its answer. */
  readonly p50Ms: number
  readonly p99Ms: number
}

const entry = fileURLToPath(new URL('reporters.ts', import.meta.url))

/** Many sidecars that say nothing but heartbeats, in a process of their own. */
export class ReportersProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when they have begun; the last of them speaks `everyMs` later. */
  static async start(plan: ReportersPlan): Promise<ReportersProcess> {
    const [command = '', ...args] = [...onAnyCpu, process.execPath, entry, JSON.stringify(plan)]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    killOnExit(child)
    await once(child, 'message')
    return new ReportersProcess(child)
  }

  /** What they did since this was asked last. */
  async count(): Promise<ReportersCount> {
    const answered = once(this.#child, 'message')
    this.#child.send('count')
    const [count] = await answered
    return count as ReportersCount // what reporters.ts answers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
