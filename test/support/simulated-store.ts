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
} from '../../core/coordination/coordination-store.ts'
import type { Asker } from '../../core/coordination/local-store/local-records.ts'
import { GatewayError } from '../../core/errors/gateway-error.ts'
import type { Clock } from '../../core/time/clock.ts'
import { Link } from './simulated-store-link.ts'
import type { StoreRecords } from './simulated-store-records.ts'
import type { Published, SimulatedServer, Subscriber } from './simulated-store-server.ts'

/** Name of a call of the port. */
export type StoreCall = Exclude<keyof CoordinationStore, 'origin' | 'open' | symbol>

/** What becomes of one call: all well, lost before it took effect, or taken effect without anybody hearing of it. */
export type Fate = 'served' | 'request lost' | 'reply lost'

/** How a gateway's connections behave; a test may change every part at any time. Milliseconds. */
export interface Connection {
  requestDelayMs: () => number
  replyDelayMs: () => number
  messageDelayMs: () => number
  /** From the moment the server can be reached until the subscription stands. */
  subscribeDelayMs: () => number
  fate: (call: StoreCall, key: string) => Fate
  losesMessage: (message: Published) => boolean
}

/** How one gateway is connected. */
export interface SimulatedStoreOptions {
  /** Of the gateway: a paused one receives nothing. */
  readonly clock: Clock
  readonly origin: string
  /** Time limit of a call. Default 100. */
  readonly timeoutMs?: number
}

const inTime = (): number => 0

/**
 * One gateway's part of a store in memory. Without faults every call is answered within the turn; calls of one gateway are
 * served and answered in order, and its messages arrive in order, but answers and messages overtake each other.
 */
export class SimulatedStore implements CoordinationStore, Subscriber {
  readonly name = 'Redis'
  readonly origin: string
  readonly connection: Connection = {
    requestDelayMs: inTime,
    replyDelayMs: inTime,
    messageDelayMs: inTime,
    subscribeDelayMs: inTime,
    fate: () => 'served',
    losesMessage: () => false,
  }
  readonly #server: SimulatedServer
  readonly #clock: Clock
  readonly #timeoutMs: number
  readonly #probes = new Map<string, () => void>()
  readonly #underWay = new Set<(error: GatewayError) => void>()
  #listener: (change: StoreChange) => void = () => {}
  #onSubscribed: () => void = () => {}
  #requests: Link
  #replies: Link
  #messages: Link
  #subscription: Disposable | undefined
  #isSubscribed = false
  #isInterrupted = false
  #isClosed = false
  #probed = 0

  constructor(server: SimulatedServer, { clock, origin, timeoutMs = 100 }: SimulatedStoreOptions) {
    this.#server = server
    this.#clock = clock
    this.origin = origin
    this.#timeoutMs = timeoutMs
    this.#requests = this.#requestLink()
    this.#replies = this.#replyLink()
    this.#messages = this.#messageLink()
  }

  open(listener: (change: StoreChange) => void, onSubscribed: () => void = () => {}): void {
    this.#listener = listener
    this.#onSubscribed = onSubscribed
    this.#subscription = this.#server.subscribe(this)
    if (this.#server.isUp) this.reachable()
  }

  acquire(key: string, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#call('acquire', key, (records, asker) => records.acquire(asker, request))
  }

  renew(key: string, lease: { readonly fence: number; readonly ttlMs: number }): Promise<boolean> {
    return this.#call('renew', key, (records, asker) => records.renew(asker, lease))
  }

  release(key: string, fence: number): Promise<void> {
    return this.#call('release', key, (records, asker) => records.release(asker, fence))
  }

  write(key: string, state: StateWrite): Promise<WriteAnswer> {
    return this.#call('write', key, (records, asker) => records.write(asker, state))
  }

  read(key: string): Promise<StoredState | undefined> {
    return this.#call('read', key, (records) => records.read(key))
  }

  forget(key: string): Promise<number> {
    return this.#call('forget', key, (records, asker) => records.forget(asker))
  }

  addKey(key: string): Promise<void> {
    return this.#call('addKey', key, (records) => records.addKey(key))
  }

  removeKey(key: string): Promise<void> {
    return this.#call('removeKey', key, (records) => records.removeKey(key))
  }

  keys(): Promise<readonly string[]> {
    return this.#call('keys', '', (records) => records.keys())
  }

  holdRole(role: string, ttlMs: number): Promise<'kept' | 'gained' | 'other'> {
    return this.#call('holdRole', role, (records, asker) => records.holdRole(asker, ttlMs))
  }

  resignRole(role: string): Promise<void> {
    return this.#call('resignRole', role, (records, asker) => records.resignRole(asker))
  }

  putEntry(key: string, entry: EntryWrite): Promise<boolean> {
    return this.#call('putEntry', key, ({ entries }, asker) => entries.put(asker, entry))
  }

  renewEntries(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]> {
    return this.#call('renewEntries', '', ({ entries }, { origin }) => entries.renew(origin, keys, renewal))
  }

  removeEntry(key: string): Promise<void> {
    return this.#call('removeEntry', key, ({ entries }, asker) => entries.remove(asker))
  }

  entries(): Promise<readonly StoredEntry[]> {
    return this.#call('entries', '', ({ entries }) => entries.all())
  }

  tell(topic: string, text: string): Promise<void> {
    return this.#call('tell', topic, ({ entries }, { origin }) => entries.tell(origin, { topic, text }))
  }

  async probe(key: string): Promise<void> {
    this.#probed += 1
    const text = `${this.#probed}`
    const arrived = new Promise<void>((resolve) => {
      this.#probes.set(text, resolve)
    })
    const late = Promise.withResolvers<never>()
    using _limit = this.#clock.after(this.#timeoutMs, () => late.reject(unavailable('the message did not arrive')))
    late.promise.catch(() => {})
    try {
      await this.#call('probe', key, () => this.#server.publish({ kind: 'probe', origin: this.origin, text }))
      await Promise.race([arrived, late.promise])
    } finally {
      this.#probes.delete(text)
    }
  }

  /** Breaks the connections for calls; what is under way may still take effect, after what is called from now on. */
  breakConnection(): void {
    this.#replies.cut()
    this.#requests = this.#requestLink()
    this.#replies = this.#replyLink()
    this.#failAll('the connection broke')
  }

  /** Ends the subscription until {@link resubscribe}; what is published meanwhile is missed. */
  interruptSubscription(): void {
    this.#isInterrupted = true
    this.disconnected()
  }

  resubscribe(): void {
    this.#isInterrupted = false
    if (this.#server.isUp) this.reachable()
  }

  hear(message: Published): void {
    if (!this.#isSubscribed || this.connection.losesMessage(message)) return
    if (message.kind === 'probe' && message.origin !== this.origin) return
    this.#messages.send(() => this.#arrived(message))
  }

  disconnected(): void {
    this.#isSubscribed = false
    this.#messages.cut()
    if (this.#server.isUp) return
    this.#requests.cut()
    this.breakConnection()
  }

  reachable(): void {
    if (this.#isClosed || this.#isInterrupted || this.#isSubscribed) return
    this.#messages.cut()
    const messages = this.#messageLink()
    this.#messages = messages
    const subscribe = (): void => {
      if (this.#messages !== messages || !this.#server.isUp || this.#isInterrupted || this.#isClosed) return
      this.#isSubscribed = true
      messages.send(() => this.#onSubscribed())
    }
    const delayMs = this.connection.subscribeDelayMs()
    if (delayMs === 0) subscribe()
    else this.#clock.after(delayMs, subscribe)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#isSubscribed = false
    this.#subscription?.[Symbol.dispose]()
    this.#messages.cut()
    this.#failAll('the connection was closed')
  }

  #arrived(message: Published): void {
    if (message.kind === 'probe') this.#probes.get(message.text)?.()
    else this.#listener(message)
  }

  #call<T>(name: StoreCall, key: string, serve: (records: StoreRecords, asker: Asker) => T): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    if (this.#isClosed || !this.#server.isUp) return Promise.reject(unavailable('no connection'))
    const limit = this.#clock.after(this.#timeoutMs, () => fail(unavailable('no answer in time')))
    const end = (): void => {
      limit[Symbol.dispose]()
      this.#underWay.delete(fail)
    }
    const fail = (error: GatewayError): void => {
      end()
      reject(error)
    }
    this.#underWay.add(fail)
    const fate = this.connection.fate(name, key)
    const replies = this.#replies
    if (fate === 'request lost') return promise
    this.#requests.send(() => {
      if (!this.#server.isUp) return
      const answer = serve(this.#server.records, { origin: this.origin, key })
      if (fate === 'reply lost') return
      replies.send(() => {
        end()
        resolve(answer)
      })
    })
    return promise
  }

  #failAll(why: string): void {
    for (const fail of [...this.#underWay]) fail(unavailable(why))
  }

  #requestLink(): Link {
    return new Link(this.#server.clock, () => this.connection.requestDelayMs())
  }

  #replyLink(): Link {
    return new Link(this.#clock, () => this.connection.replyDelayMs())
  }

  #messageLink(): Link {
    return new Link(this.#clock, () => this.connection.messageDelayMs())
  }
}

function unavailable(why: string): GatewayError {
  return new GatewayError('lease_store_unavailable', `the store could not be used: ${why}`)
}
