import { randomBytes, randomUUID } from 'node:crypto'
import { hostname } from 'node:os'
import type {
  CoordinationStore,
  EntryRenewal,
  EntryWrite,
  LeaseAnswer,
  LeaseRequest,
  StateWrite,
  StoreChange,
  StoredEntry,
  StoredState,
  WriteAnswer,
} from '../coordination/coordination-store.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { RedisCommands, type CommandClient } from './redis-commands.ts'
import { RedisConnector } from './redis-connector.ts'
import { RedisLink } from './redis-link.ts'
import { RedisNames } from './redis-names.ts'
import { readScripts } from './redis-scripts.ts'
import { RedisSubscription } from './redis-subscription.ts'
import { parseRedisUrl } from './redis-url.ts'
import { toldMessage, toStoreChange } from './store-change.ts'
import { storeFailureOf, storeUnavailable, type StoreFailure } from './store-failure.ts'
import {
  toEntryPage,
  toFlag,
  toHold,
  toInteger,
  toLeaseAnswer,
  toStoredState,
  toTexts,
  toWriteAnswer,
  type EntryPage,
} from './store-replies.ts'

/** Entries read in one round trip, about: a few milliseconds of Redis at most. */
const entriesAtOnce = 300

/** Told what the store does, for metrics. Must not throw. */
export interface StoreObserver {
  /** A command or script has ended; `failure` is undefined when it succeeded. */
  onCommand(name: string, seconds: number, failure: StoreFailure | undefined): void
  /** A message on the channel of changes was none of ours. */
  onForeignMessage(): void
}

/** What a store works with. */
export interface RedisStoreDeps {
  /** In a form that redis-url.ts reads. */
  readonly url: string
  /** What all names of keys and channels start with. */
  readonly prefix: string
  /** Longest time for one command, milliseconds. */
  readonly timeoutMs: number
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly observer: StoreObserver
  /** Unique name of this gateway; made from the host's name when absent. */
  readonly origin?: string
}

/**
 * Coordination by Redis 6.0 or newer: one server, Sentinels or a Cluster. Each call is one round trip; Lua scripts make it atomic.
 *
 * Two connections per gateway: commands fail at once while theirs is down, the other one only listens. Both are made again for as
 * long as the store is open, with pauses of 50 to 500 ms.
 *
 * Errors: `lease_store_unavailable`, with the kind of failure in `details.failure` and the cause; see store-failure.ts.
 */
export class RedisStore implements CoordinationStore {
  readonly name = 'Redis'
  readonly origin: string
  readonly #deps: RedisStoreDeps
  readonly #names: RedisNames
  readonly #link: RedisLink<CommandClient>
  readonly #commands: RedisCommands
  readonly #connector: RedisConnector
  #subscription: RedisSubscription | undefined

  /** @throws GatewayError `config_invalid` when the URL is none */
  constructor(deps: RedisStoreDeps) {
    const { url, prefix, clock, random, timeoutMs, observer } = deps
    const { topology, fault: urlFault } = parseRedisUrl(url)
    if (topology === undefined) throw new GatewayError('config_invalid', `redisUrl: ${urlFault}`)
    this.origin = deps.origin ?? `${hostname()}-${randomBytes(8).toString('hex')}`
    this.#deps = deps
    this.#names = new RedisNames(prefix)
    this.#connector = new RedisConnector({ topology, clock, random, timeoutMs })
    this.#link = new RedisLink<CommandClient>({
      clock,
      random,
      connect: (signal) => this.#connector.connectCommands(signal),
      lingerMs: timeoutMs,
      onUp: () => {
        this.#tellUp('commands')
        this.#subscription?.hurry()
      },
      onDown: (fault) => this.#tellDown('commands', fault),
    })
    const onCommand: StoreObserver['onCommand'] = (...ended) => observer.onCommand(...ended)
    this.#commands = new RedisCommands({ clock, link: this.#link, scripts: readScripts(), timeoutMs, onCommand })
  }

  open(onChange: (change: StoreChange) => void, onSubscribed: () => void): void {
    const { clock, random } = this.#deps
    this.#subscription = new RedisSubscription({
      clock,
      random,
      connect: (options) => this.#connector.connectSubscriber(this.#link.client, options),
      channel: this.#names.changes,
      echoChannel: this.#names.probes(this.origin),
      onMessage: (message) => this.#guarded(() => this.#take(message, onChange)),
      onSubscribed: () => {
        this.#tellUp('subscription')
        this.#link.hurry()
        this.#guarded(onSubscribed)
      },
      onDown: (fault) => this.#tellDown('subscription', fault),
    })
    this.#link.open()
    this.#subscription.open()
  }

  acquire(key: string, { ttlMs, knownVersion, aboveFence }: LeaseRequest): Promise<LeaseAnswer> {
    const args = [this.origin, whole(ttlMs), knownVersion, aboveFence]
    return this.#commands.script('acquire-lease', { key: this.#names.function(key), args }, toLeaseAnswer)
  }

  renew(key: string, { fence, ttlMs }: { readonly fence: number; readonly ttlMs: number }): Promise<boolean> {
    const args = [this.origin, fence, whole(ttlMs)]
    return this.#commands.script('renew-lease', { key: this.#names.function(key), args }, toFlag)
  }

  async release(key: string, fence: number): Promise<void> {
    const args = [this.origin, fence, this.#names.changes, key]
    await this.#commands.script('release-lease', { key: this.#names.function(key), args }, toFlag)
  }

  write(key: string, state: StateWrite): Promise<WriteAnswer> {
    const { condition, value, phase, retryInMs, expiresInMs, body } = state
    const publication = [this.#names.changes, this.origin, key]
    const args = [condition, value, ...publication, phase, whole(retryInMs), whole(expiresInMs), body]
    return this.#commands.script('write-state', { key: this.#names.function(key), args }, toWriteAnswer)
  }

  read(key: string): Promise<StoredState | undefined> {
    return this.#commands.script('read-state', { key: this.#names.function(key), args: [] }, toStoredState)
  }

  forget(key: string): Promise<number> {
    const args = [this.#names.changes, this.origin, key]
    return this.#commands.script('forget-state', { key: this.#names.function(key), args }, toInteger)
  }

  async addKey(key: string): Promise<void> {
    await this.#commands.run('sadd', (client) => client.sadd(this.#names.functions, key), toInteger)
  }

  async removeKey(key: string): Promise<void> {
    await this.#commands.run('srem', (client) => client.srem(this.#names.functions, key), toInteger)
  }

  keys(): Promise<readonly string[]> {
    return this.#commands.run('smembers', (client) => client.smembers(this.#names.functions), toTexts)
  }

  holdRole(role: string, ttlMs: number): Promise<'kept' | 'gained' | 'other'> {
    return this.#commands.script(
      'hold-role',
      { key: this.#names.role(role), args: [this.origin, whole(ttlMs)] },
      toHold,
    )
  }

  async resignRole(role: string): Promise<void> {
    await this.#commands.script('resign-role', { key: this.#names.role(role), args: [this.origin] }, toFlag)
  }

  putEntry(key: string, { body, rank, ttlMs }: EntryWrite): Promise<boolean> {
    const args = [this.#names.changes, this.origin, key, rank, whole(ttlMs), body]
    return this.#commands.script('put-entry', { key: this.#names.entries, args }, toFlag)
  }

  renewEntries(keys: readonly string[], { ttlMs, note }: EntryRenewal): Promise<readonly string[]> {
    const args = [this.#names.changes, this.origin, whole(ttlMs), note, JSON.stringify(keys)]
    return this.#commands.script('renew-entries', { key: this.#names.entries, args }, toTexts)
  }

  async removeEntry(key: string): Promise<void> {
    const args = [this.#names.changes, this.origin, key]
    await this.#commands.script('remove-entry', { key: this.#names.entries, args }, toFlag)
  }

  /** One round trip for each few hundred. */
  async entries(): Promise<readonly StoredEntry[]> {
    const found = new Map<string, StoredEntry>()
    for (let from: string | undefined = '0'; from !== undefined;) {
      const args = [from, entriesAtOnce]
      const page: EntryPage = await this.#commands.script(
        'read-entries',
        { key: this.#names.entries, args },
        toEntryPage,
      )
      for (const entry of page.entries) found.set(entry.key, entry)
      from = page.next
    }
    return [...found.values()]
  }

  async tell(topic: string, text: string): Promise<void> {
    const message = toldMessage({ topic, origin: this.origin, text })
    await this.#commands.run('publish', (client) => client.publish(this.#names.changes, message), toInteger)
  }

  /** Also ends a subscription that does not hear what was published, so that another one is made. */
  async probe(key: string): Promise<void> {
    const { clock, timeoutMs, observer } = this.#deps
    const nonce = randomUUID()
    const args = [this.#names.probes(this.origin), nonce]
    const send = (): Promise<unknown> => this.#commands.script('probe', { key: this.#names.probe(key), args }, toFlag)
    const startMs = clock.monotonicMs()
    const secondsSoFar = (): number => (clock.monotonicMs() - startMs) / 1000
    try {
      if (this.#subscription === undefined) throw new Error('the store is not open')
      await this.#subscription.echo(nonce, { limitMs: Math.max(250, 4 * timeoutMs), send })
      observer.onCommand('echo', secondsSoFar(), undefined)
    } catch (error) {
      if (error instanceof GatewayError) throw error
      observer.onCommand('echo', secondsSoFar(), storeFailureOf(error))
      throw storeUnavailable('echo', error)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#subscription?.[Symbol.dispose]()
    this.#link[Symbol.dispose]()
  }

  #take(message: string, onChange: (change: StoreChange) => void): void {
    const change = toStoreChange(message)
    if (change === undefined) this.#deps.observer.onForeignMessage()
    else onChange(change)
  }

  /** What a listener throws must not end the connection that called it. */
  #guarded(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#deps.log.error('a listener of Redis failed', { err: error })
    }
  }

  #tellUp(connection: string): void {
    this.#deps.log.debug('connected to Redis', { connection })
  }

  #tellDown(connection: string, fault: unknown): void {
    this.#deps.log.debug('connection to Redis lost', { connection, err: fault })
  }
}

/** Redis takes whole milliseconds only; a wait may be longer, not shorter. */
function whole(milliseconds: number): number {
  return Math.ceil(milliseconds)
}
