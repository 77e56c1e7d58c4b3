import type { ChildProcess } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { Clock } from '../time/clock.ts'
import { killGroup } from './kill-group.ts'

/** How a function's process ended. */
export type ProcessEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  | { readonly kind: 'not_started'; readonly problem: string }

/** Says how a process ended, in the words that users of a watchdog know. */
export function describeEnd(end: ProcessEnd): string {
  if (end.kind === 'exited') return `exit status ${end.code}`
  return end.kind === 'killed' ? `signal: ${end.signal}` : `cannot start: ${end.problem}`
}

/** The pipes of a process; absent for one that could not be started. */
export interface ProcessPipes {
  readonly stdin: Writable | undefined
  readonly stdout: Readable | undefined
  readonly stderr: Readable | undefined
}

/**
 * One process of a function, leader of a group and session of its own. When it ends, whatever is left of its group is killed,
 * so that its pipes close and nothing outlives it.
 */
export class FunctionProcess {
  readonly pid: number | undefined
  readonly pipes: ProcessPipes
  /** Resolves when the leader has ended. Never rejects. */
  readonly ended: Promise<ProcessEnd>
  readonly #clock: Clock
  #end: ProcessEnd | undefined

  /** @param child what was spawned as leader of a group, or the reason why it was not */
  constructor(child: ChildProcess | Error, clock: Clock) {
    this.#clock = clock
    if (child instanceof Error) {
      this.pid = undefined
      this.pipes = { stdin: undefined, stdout: undefined, stderr: undefined }
      this.#end = { kind: 'not_started', problem: child.message }
      this.ended = Promise.resolve(this.#end)
      return
    }
    this.pid = child.pid
    this.pipes = {
      stdin: child.stdin ?? undefined,
      stdout: child.stdout ?? undefined,
      stderr: child.stderr ?? undefined,
    }
    // A function may end without reading its input; what that means is told by its end.
    for (const pipe of [child.stdin, child.stdout, child.stderr]) pipe?.on('error', () => {})
    this.ended = new Promise((resolve) => {
      const settle = (end: ProcessEnd): void => {
        if (this.#end !== undefined) return
        this.#end = end
        this.signal('SIGKILL')
        resolve(end)
      }
      child.once('exit', (code, signal) =>
        settle(signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'killed', signal }),
      )
      child.once('error', (error) => {
        if (child.pid === undefined) settle({ kind: 'not_started', problem: error.message })
      })
    })
  }

  get isRunning(): boolean {
    return this.#end === undefined
  }

  /** Signals the whole group. */
  signal(signal: NodeJS.Signals): void {
    if (this.pid !== undefined) killGroup(this.pid, signal)
  }

  /** Asks the group to end; kills it after `graceMs`. Resolves when the leader has ended. */
  async stop(graceMs: number): Promise<ProcessEnd> {
    if (!this.isRunning) return this.ended
    this.signal('SIGTERM')
    const timer = this.#clock.after(graceMs, () => this.signal('SIGKILL'))
    return this.ended.finally(() => timer[Symbol.dispose]())
  }
}
