import type { StoreChange } from '../../core/coordination/coordination-store.ts'
import { RedisStore } from '../../core/redis/redis-store.ts'
import { storeFailureOf, type StoreFailure } from '../../core/redis/store-failure.ts'
import { SystemClock } from '../../core/time/system-clock.ts'
import { eventually } from './eventually.ts'
import { FakeLogger } from './fake-logger.ts'

/** How to open a store. */
export interface OpenStoreOptions {
  readonly origin?: string
  readonly prefix?: string
  readonly timeoutMs?: number
}

/** One ended command. */
export interface EndedCommand {
  readonly name: string
  readonly failure: StoreFailure | undefined
}

/** A store on a real Redis, and what it told. */
export class OpenedStore implements AsyncDisposable {
  readonly store: RedisStore
  readonly changes: StoreChange[] = []
  readonly commands: EndedCommand[] = []
  readonly log = new FakeLogger()
  /** How often the subscription has been established. */
  subscribed = 0
  foreignMessages = 0

  constructor(url: string, { origin, prefix = 'pilotlight', timeoutMs = 1_000 }: OpenStoreOptions = {}) {
    this.store = new RedisStore({
      url,
      prefix,
      timeoutMs,
      clock: new SystemClock(),
      random: Math.random,
      log: this.log,
      observer: {
        onCommand: (name, _seconds, failure) => this.commands.push({ name, failure }),
        onForeignMessage: () => (this.foreignMessages += 1),
      },
      ...(origin === undefined ? {} : { origin }),
    })
    this.store.open(
      (change) => this.changes.push(change),
      () => (this.subscribed += 1),
    )
  }

  /** Resolves when it works, with messages. */
  async works(withinMs = 10_000, key = 'probed'): Promise<void> {
    await eventually('the store to work', async () => (await failureOf(this.store.probe(key))) === undefined, withinMs)
  }

  /** The published changes of one function so far, without their origin. */
  changesOf(key: string): readonly StoreChange[] {
    return this.changes.filter((change) => 'key' in change && change.key === key)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.store[Symbol.asyncDispose]()
  }
}

/** Opens a store and resolves when it works. Its time limit is long, so that a busy machine does not fail tests of something else. */
export async function openRedisStore(url: string, options: OpenStoreOptions = {}): Promise<OpenedStore> {
  const opened = new OpenedStore(url, options)
  try {
    await opened.works()
    return opened
  } catch (error) {
    await opened[Symbol.asyncDispose]()
    throw error
  }
}

/** The kind of failure of a call, or undefined when it succeeded. */
export async function failureOf(call: Promise<unknown>): Promise<StoreFailure | undefined> {
  try {
    await call
    return undefined
  } catch (error) {
    return storeFailureOf(error)
  }
}
