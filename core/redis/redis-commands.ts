import type { Cluster, Redis } from 'ioredis'
import type { Clock } from '../time/clock.ts'
import type { RedisLink } from './redis-link.ts'
import type { RedisScript, ScriptName } from './redis-scripts.ts'
import { storeFailureOf, storeUnavailable, type StoreFailure } from './store-failure.ts'
import { withinLimit } from './within-limit.ts'

/** A client that takes commands. */
export type CommandClient = Redis | Cluster

/** What running commands works with. */
export interface CommandDeps {
  readonly clock: Clock
  readonly link: RedisLink<CommandClient>
  readonly scripts: Readonly<Record<ScriptName, RedisScript>>
  /** Longest time for one round trip, milliseconds. */
  readonly timeoutMs: number
  /** Told of each command when it has ended; `failure` is undefined when it succeeded. */
  readonly onCommand: (name: string, seconds: number, failure: StoreFailure | undefined) => void
}

/** The key that a script works on, or several in one place, and its arguments. */
export interface ScriptCall {
  readonly key: string | readonly string[]
  readonly args: readonly (string | number)[]
}

/** Failures after which another connection may do better: this one is dead without knowing it, or leads to the wrong server. */
const worthReplacing = new Set<StoreFailure>(['timed_out', 'read_only', 'bad_credentials'])

/** Runs commands and scripts, each within a time limit. */
export class RedisCommands {
  readonly #deps: CommandDeps

  constructor(deps: CommandDeps) {
    this.#deps = deps
  }

  /**
   * Runs a command and decodes its reply.
   * @throws GatewayError `lease_store_unavailable`
   */
  run<T>(name: string, send: (client: CommandClient) => Promise<unknown>, decode: (reply: unknown) => T): Promise<T> {
    return this.#observed(name, async () => decode(await this.#send(send)))
  }

  /** Runs a script and decodes its reply, as {@link run} does. Redis is sent its text when it does not know it (any more). */
  script<T>(name: ScriptName, call: ScriptCall, decode: (reply: unknown) => T): Promise<T> {
    const { source, digest } = this.#deps.scripts[name]
    const keys = typeof call.key === 'string' ? [call.key] : call.key
    const words = [keys.length, ...keys, ...call.args]
    return this.#observed(name, async () => {
      try {
        return decode(await this.#send((client) => client.call('EVALSHA', digest, ...words)))
      } catch (error) {
        if (!isUnknownScript(error)) throw error
        return decode(await this.#send((client) => client.call('EVAL', source, ...words)))
      }
    })
  }

  async #observed<T>(name: string, work: () => Promise<T>): Promise<T> {
    const { clock, link, onCommand } = this.#deps
    const startMs = clock.monotonicMs()
    const secondsSoFar = (): number => (clock.monotonicMs() - startMs) / 1000
    try {
      const result = await work()
      onCommand(name, secondsSoFar(), undefined)
      return result
    } catch (error) {
      const failure = storeFailureOf(error)
      onCommand(name, secondsSoFar(), failure)
      if (worthReplacing.has(failure)) link.replace()
      throw storeUnavailable(name, error)
    }
  }

  async #send(send: (client: CommandClient) => Promise<unknown>): Promise<unknown> {
    const { clock, link, timeoutMs } = this.#deps
    if (link.client === undefined) throw link.fault
    return withinLimit(send(link.client), { clock, limitMs: timeoutMs })
  }
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof Error && error.message.startsWith('NOSCRIPT')
}
