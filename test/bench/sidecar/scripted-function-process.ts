import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { onAnyCpu } from '../pinning.ts'
import { startFlags } from '../start-flags.ts'

/** What the process can be told. */
export type FunctionCommand =
  | { readonly do: 'listen'; readonly port: number }
  | { readonly do: 'tell' }
  | { readonly do: 'close' }

/** What the function saw since it last began to listen. Instants of the machine's clock; 0 for what did not happen. */
export interface SeenByFunction {
  readonly acceptedAtMs: number
  /** First call of each gateway, by the gateway's number. */
  readonly arrivedAtMs: Readonly<Record<string, number>>
}

const entry = fileURLToPath(new URL('scripted-function.ts', import.meta.url))

/** A function that accepts when it is told to, in a process of its own. */
export class ScriptedFunctionProcess implements AsyncDisposable {
  readonly #child: ChildProcess

  private constructor(child: ChildProcess) {
    this.#child = child
  }

  static async start(): Promise<ScriptedFunctionProcess> {
    const [command = '', ...args] = [...onAnyCpu, process.execPath, ...startFlags, entry]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    killOnExit(child)
    await once(child, 'message')
    return new ScriptedFunctionProcess(child)
  }

  /** Has it accept on a port of loopback; resolves when it has said so. */
  async listen(port: number): Promise<void> {
    await this.#ask({ do: 'listen', port })
  }

  async seen(): Promise<SeenByFunction> {
    const { seen } = (await this.#ask({ do: 'tell' })) as { seen: SeenByFunction } // what scripted-function.ts answers
    return seen
  }

  /** Has it accept no more, and hang up. */
  async close(): Promise<void> {
    await this.#ask({ do: 'close' })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = once(this.#child, 'exit')
    this.#child.kill('SIGKILL')
    await exited
  }

  /** One question at a time. */
  async #ask(command: FunctionCommand): Promise<unknown> {
    const answered = once(this.#child, 'message')
    this.#child.send(command)
    const [answer] = await answered
    return answer
  }
}
