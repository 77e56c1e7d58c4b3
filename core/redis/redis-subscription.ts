import type { Redis } from 'ioredis'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { RedisLink } from './redis-link.ts'
import { Unheard } from './store-failure.ts'
import { LimitPassed, withinLimit } from './within-limit.ts'

/** What a subscription works with. */
export interface SubscriptionDeps {
  readonly clock: Clock
  readonly random: Random
  /** Connects a client, for which `prepare` must succeed. */
  readonly connect: (options: {
    readonly signal: AbortSignal
    readonly prepare: (client: Redis) => Promise<unknown>
  }) => Promise<Redis>
  /** Channel whose messages go to {@link onMessage}. */
  readonly channel: string
  /** Channel on which echoes are expected. */
  readonly echoChannel: string
  readonly onMessage: (message: string) => void
  /** Told each time that the subscription stands. */
  readonly onSubscribed: () => void
  readonly onDown: (fault: unknown) => void
}

/** Hears two channels of Redis over a connection of its own, which it keeps. */
export class RedisSubscription implements Disposable {
  readonly #deps: SubscriptionDeps
  readonly #link: RedisLink<Redis>
  /** Who waits for an echo, by its text. */
  readonly #expected = new Map<string, () => void>()

  constructor(deps: SubscriptionDeps) {
    this.#deps = deps
    const { clock, random, onSubscribed, onDown } = deps
    this.#link = new RedisLink({
      clock,
      random,
      connect: (signal) => deps.connect({ signal, prepare: (client) => this.#subscribe(client) }),
      onUp: onSubscribed,
      onDown,
      lingerMs: 0,
    })
  }

  /** Begins to subscribe. */
  open(): void {
    this.#link.open()
  }

  /** Ends a pause between two attempts: commands have just been connected. */
  hurry(): void {
    this.#link.hurry()
  }

  /**
   * Has `send` publish on the echo channel, and waits until that is heard. A subscription that does not hear it is thrown away for
   * a new one: it may be connected to a server that is cut off, or not be connected at all without having noticed.
   *
   * @param text unique
   * @throws the fault of the connection, Unheard, or what `send` throws
   */
  async echo(
    text: string,
    options: { readonly limitMs: number; readonly send: () => Promise<unknown> },
  ): Promise<void> {
    const { clock } = this.#deps
    const { client } = this.#link
    if (client === undefined) throw this.#link.fault
    const heard = new Promise<void>((resolve) => this.#expected.set(text, resolve))
    try {
      await options.send()
      await withinLimit(heard, { clock, limitMs: options.limitMs })
    } catch (error) {
      if (!(error instanceof LimitPassed)) throw error
      const fault = new Unheard('a message was published and not heard', { cause: error })
      this.#link.drop(client, fault)
      throw fault
    } finally {
      this.#expected.delete(text)
    }
  }

  [Symbol.dispose](): void {
    this.#link[Symbol.dispose]()
  }

  #subscribe(client: Redis): Promise<unknown> {
    const { channel, echoChannel, onMessage } = this.#deps
    client.on('message', (from, message) => {
      if (from === channel) onMessage(message)
      else if (from === echoChannel) this.#expected.get(message)?.()
    })
    return client.subscribe(channel, echoChannel)
  }
}
