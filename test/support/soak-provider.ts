import type { Socket } from 'node:net'
import { type ProviderCall, nameIn, ScriptedProvider } from './scripted-provider.ts'
import { Signals } from './soak-signals.ts'

/** A scripted provider that runs for long: keeps no list of calls, tells what it sees, and can close what is idle. */
export class SoakProvider implements AsyncDisposable {
  readonly scripted = new ScriptedProvider()
  /** Given for every call as `kind name`, and for what functions see of their callers. */
  readonly signals = new Signals()
  /** Functions whose scale calls are refused for good. */
  readonly refusesToScale = new Set<string>()
  /** Open connections, and how many calls have come by each. */
  readonly #sockets = new Map<Socket, number>()
  /** Connections that were closed without a word: what still comes by them is lost. */
  readonly #closed = new WeakSet<Socket>()
  readonly #reached = new Set<number>()

  /** Starts one without functions. */
  static async start(): Promise<SoakProvider> {
    const provider = new SoakProvider()
    provider.scripted.intercept = (call) => provider.#see(call)
    await provider.scripted.accept()
    return provider
  }

  /** Notes that a call has come to its function. */
  reach(id: number): void {
    this.#reached.add(id)
  }

  /** Whether a call had come to its function, which is asked once. */
  hasReached(id: number): boolean {
    return this.#reached.delete(id)
  }

  /** Returns what closes a connection, if no further call has come by it until then. */
  closerOf(socket: Socket): () => void {
    const calls = this.#sockets.get(socket)
    return () => {
      if (calls === undefined || this.#sockets.get(socket) !== calls) return
      this.#closed.add(socket)
      socket.end()
    }
  }

  /** Closes all connections; for times without calls, when all of them are idle. */
  closeIdle(): void {
    for (const socket of this.#sockets.keys()) socket.destroy()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.scripted[Symbol.asyncDispose]()
  }

  #see({ kind, target, connection }: ProviderCall): Promise<void> | undefined {
    this.scripted.calls.length = 0
    if (this.#closed.has(connection)) return new Promise(() => {})
    const calls = this.#sockets.get(connection) ?? 0
    if (calls === 0) connection.once('close', () => this.#sockets.delete(connection))
    this.#sockets.set(connection, calls + 1)
    const name = nameIn(target)
    this.signals.give(`${kind} ${name}`)
    if (kind === 'scale' && this.refusesToScale.has(name)) {
      const refusal = this.scripted.fail('scale', 'refuse-400', 1)
      queueMicrotask(() => refusal[Symbol.dispose]()) // by then it has been used up
    }
    return undefined
  }
}
