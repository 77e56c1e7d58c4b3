import { randomBytes } from 'node:crypto'
import type { Logger } from '../../telemetry/logger.ts'
import type { Clock } from '../../time/clock.ts'
import type { Line } from '../../workers/line.ts'
import { Questions } from '../../workers/questions.ts'
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
} from '../coordination-store.ts'
import { localStoreUnavailable } from './local-store-failure.ts'
import {
  callTopic,
  changesPerReceipt,
  membershipTopic,
  newsTopic,
  type Membership,
  type News,
  type StoreCall,
  type StoreMethod,
} from './store-messages.ts'

/** What a store at the other end of a line is reached with. */
export interface LineStoreDeps {
  /** To a process that serves it by `serveStore` already. */
  readonly line: Line
  readonly clock: Clock
  readonly log: Logger
  /** Unique among all members there ever are; made from the process id when absent. */
  readonly origin?: string
}

/** Longest time for an answer, milliseconds: the other process is on this machine, and does nothing that takes long. */
const answerLimitMs = 1_000

/**
 * Coordination by a `LocalStore` in another process of this machine. Each call is one message each way.
 *
 * Errors: `lease_store_unavailable`, with the kind of failure in `details.failure`; see local-store-failure.ts.
 */
export class LineStore implements CoordinationStore {
  readonly name = 'the supervisor'
  readonly origin: string
  readonly #deps: LineStoreDeps
  readonly #questions: Questions
  #listening: Disposable | undefined
  #changes = 0

  constructor(deps: LineStoreDeps) {
    this.origin = deps.origin ?? `${process.pid}.${randomBytes(8).toString('hex')}`
    this.#deps = deps
    this.#questions = new Questions({ line: deps.line, topic: callTopic, clock: deps.clock })
  }

  open(onChange: (change: StoreChange) => void, onSubscribed: () => void): void {
    const hear = (news: News): void => {
      if (news.kind === 'subscribed') this.#guarded(onSubscribed)
      else this.#take(news, onChange)
    }
    this.#listening = this.#deps.line.receive(newsTopic, (news) => hear(news as News)) // the other side is this program
    this.#say({ kind: 'join', origin: this.origin })
  }

  acquire(key: string, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#ask('acquire', key, request)
  }

  renew(key: string, lease: { readonly fence: number; readonly ttlMs: number }): Promise<boolean> {
    return this.#ask('renew', key, lease)
  }

  release(key: string, fence: number): Promise<void> {
    return this.#ask('release', key, fence)
  }

  write(key: string, state: StateWrite): Promise<WriteAnswer> {
    return this.#ask('write', key, state)
  }

  read(key: string): Promise<StoredState | undefined> {
    return this.#ask('read', key)
  }

  forget(key: string): Promise<number> {
    return this.#ask('forget', key)
  }

  addKey(key: string): Promise<void> {
    return this.#ask('addKey', key)
  }

  removeKey(key: string): Promise<void> {
    return this.#ask('removeKey', key)
  }

  keys(): Promise<readonly string[]> {
    return this.#ask('keys')
  }

  holdRole(role: string, ttlMs: number): Promise<'kept' | 'gained' | 'other'> {
    return this.#ask('holdRole', role, ttlMs)
  }

  resignRole(role: string): Promise<void> {
    return this.#ask('resignRole', role)
  }

  putEntry(key: string, entry: EntryWrite): Promise<boolean> {
    return this.#ask('putEntry', key, entry)
  }

  renewEntries(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]> {
    return this.#ask('renewEntries', keys, renewal)
  }

  removeEntry(key: string): Promise<void> {
    return this.#ask('removeEntry', key)
  }

  entries(): Promise<readonly StoredEntry[]> {
    return this.#ask('entries')
  }

  tell(topic: string, text: string): Promise<void> {
    return this.#ask('tell', topic, text)
  }

  /** Changes and answers come in order by the same line: an answer proves that changes arrive. */
  probe(key: string): Promise<void> {
    return this.#ask('probe', key)
  }

  /** Gives up all leases and roles. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#listening === undefined) return
    this.#listening[Symbol.dispose]()
    this.#listening = undefined
    this.#questions[Symbol.dispose]()
    this.#say({ kind: 'leave' })
  }

  #take(change: StoreChange, onChange: (change: StoreChange) => void): void {
    this.#changes += 1
    if (this.#changes % changesPerReceipt === 0) this.#say({ kind: 'heard', changes: this.#changes })
    this.#guarded(() => onChange(change))
  }

  #say(message: Membership): void {
    this.#deps.line.send(membershipTopic, message)
  }

  async #ask<M extends StoreMethod>(
    method: M,
    ...args: Parameters<CoordinationStore[M]>
  ): Promise<Awaited<ReturnType<CoordinationStore[M]>>> {
    if (this.#listening === undefined) throw localStoreUnavailable(method, undefined)
    try {
      const answer = await this.#questions.ask({ method, args } satisfies StoreCall<M>, answerLimitMs)
      return answer as Awaited<ReturnType<CoordinationStore[M]>> // serve-store.ts answers with what the method resolves with
    } catch (error) {
      throw localStoreUnavailable(method, error)
    }
  }

  /** What a listener throws must not end the process that the line belongs to. */
  #guarded(tell: () => void): void {
    try {
      tell()
    } catch (error) {
      this.#deps.log.error('a listener for changes of functions failed', { err: error })
    }
  }
}
