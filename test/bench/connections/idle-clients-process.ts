import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { onLoadCpu } from '../pinning.ts'
import type { IdleCount } from './idle-clients.ts'

const entry = fileURLToPath(new URL('idle-clients.ts', import.meta.url))

/** Many clients that have made a call and keep their connection. Disposing closes them all. */
export class IdleClientsProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  /** Resolves when each of `count` clients has its answer, or has failed. */
  static async start(url: string, count: number): Promise<IdleClientsProcess> {
    const [command = '', ...args] = [...onLoadCpu, process.execPath, entry, url, String(count)]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    killOnExit(child)
    await once(child, 'message')
    return new IdleClientsProcess(child)
  }

  async count(): Promise<IdleCount> {
    const answer = once(this.#child, 'message')
    this.#child.send('count')
    const [count] = await answer
    return count as IdleCount // what idle-clients.ts sends
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }
}
