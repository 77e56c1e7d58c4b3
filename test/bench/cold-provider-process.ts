import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { killOnExit } from '../support/kill-on-exit.ts'
import type { ColdScript, ObservedCall } from './cold-function.ts'
import { onAnyCpu } from './pinning.ts'
import { startFlags } from './start-flags.ts'

/** What the process can be told. */
export type ProviderCommand = { readonly id: number } & ProviderWish

/** What it says. */
export interface ProviderAnswer {
  readonly to: number
  readonly value: unknown
}

/** Calls received since the start, by kind. */
export type CallCounts = Readonly<Record<string, number>>

/** Calls between two moments, by kind. */
export function callsBetween(before: CallCounts, after: CallCounts): CallCounts {
  return Object.fromEntries(Object.entries(after).map(([kind, count]) => [kind, count - (before[kind] ?? 0)]))
}

type ProviderWish =
  | { readonly do: 'add'; readonly script: ColdScript }
  | { readonly do: 'remove'; readonly name: string }
  | { readonly do: 'counts' }
  | { readonly do: 'readyAtMs'; readonly name: string }
  | { readonly do: 'calls'; readonly name: string }

const entry = fileURLToPath(new URL('cold-provider.ts', import.meta.url))

/** The provider of the cold starts, in a process of its own: it takes no time from the process that measures. */
export class ColdProviderProcess implements AsyncDisposable {
  readonly url: string
  readonly pid: number
  readonly #child: ChildProcess
  readonly #waiting = new Map<number, (value: unknown) => void>()
  #lastId = 0

  private constructor(child: ChildProcess, url: string) {
    this.#child = child
    this.url = url
    this.pid = child.pid ?? 0
    child.on('message', ({ to, value }: ProviderAnswer) => {
      this.#waiting.get(to)?.(value)
      this.#waiting.delete(to)
    })
  }

  /** Starts one, without functions. @param launcher words before the command, such as `taskset -c 1` */
  static start(launcher: readonly string[] = onAnyCpu): Promise<ColdProviderProcess> {
    const [command = '', ...args] = [...launcher, process.execPath, ...startFlags, entry]
    const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] })
    killOnExit(child)
    return new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (code) => reject(new Error(`the provider exited with ${code}`)))
      child.once('message', ({ url }: { url: string }) => resolve(new ColdProviderProcess(child, url)))
    })
  }

  /** Deploys a function. */
  async add(script: ColdScript): Promise<void> {
    await this.#ask({ do: 'add', script })
  }

  /** Removes a function. */
  async remove(name: string): Promise<void> {
    await this.#ask({ do: 'remove', name })
  }

  async counts(): Promise<CallCounts> {
    return (await this.#ask({ do: 'counts' })) as CallCounts // what cold-provider.ts answers
  }

  /** Instant of the machine's clock at which a function became ready. */
  async readyAtMs(name: string): Promise<number> {
    return (await this.#ask({ do: 'readyAtMs', name })) as number // what cold-provider.ts answers
  }

  /** Status and scale calls about a function, in order. */
  async calls(name: string): Promise<readonly ObservedCall[]> {
    return (await this.#ask({ do: 'calls', name })) as ObservedCall[] // what cold-provider.ts answers
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null) return
    const exited = new Promise((resolve) => this.#child.once('exit', resolve))
    this.#child.kill('SIGKILL')
    await exited
  }

  #ask(wish: ProviderWish): Promise<unknown> {
    this.#lastId += 1
    const id = this.#lastId
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve)
      this.#child.send({ ...wish, id })
    })
  }
}
