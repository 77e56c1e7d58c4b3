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
import type { LocalRecords } from './local-records.ts'
import { localStoreUnavailable } from './local-store-failure.ts'
import type { StoreMethod } from './store-messages.ts'

/** What a member works with. */
export interface LocalMemberDeps {
  readonly origin: string
  readonly records: LocalRecords
  /** Told of every change by whoever owns the records. */
  readonly listeners: Set<(change: StoreChange) => void>
}

/** A store whose records are in this process. Each call takes effect before it returns; calls of a closed one are refused. */
export class LocalMember implements CoordinationStore {
  readonly name = 'the supervisor'
  readonly origin: string
  readonly #deps: LocalMemberDeps
  #listener: ((change: StoreChange) => void) | undefined

  constructor(deps: LocalMemberDeps) {
    this.origin = deps.origin
    this.#deps = deps
  }

  open(onChange: (change: StoreChange) => void, onSubscribed: () => void): void {
    this.#listener = onChange
    this.#deps.listeners.add(onChange)
    onSubscribed()
  }

  acquire(key: string, request: LeaseRequest): Promise<LeaseAnswer> {
    return this.#call('acquire', (records, origin) => records.acquire({ origin, key }, request))
  }

  renew(key: string, lease: { readonly fence: number; readonly ttlMs: number }): Promise<boolean> {
    return this.#call('renew', (records, origin) => records.renew({ origin, key }, lease))
  }

  release(key: string, fence: number): Promise<void> {
    return this.#call('release', (records, origin) => records.release({ origin, key }, fence))
  }

  write(key: string, state: StateWrite): Promise<WriteAnswer> {
    return this.#call('write', (records, origin) => records.write({ origin, key }, state))
  }

  read(key: string): Promise<StoredState | undefined> {
    return this.#call('read', (records) => records.read(key))
  }

  forget(key: string): Promise<number> {
    return this.#call('forget', (records, origin) => records.forget({ origin, key }))
  }

  addKey(key: string): Promise<void> {
    return this.#call('addKey', (records) => records.addKey(key))
  }

  removeKey(key: string): Promise<void> {
    return this.#call('removeKey', (records) => records.removeKey(key))
  }

  keys(): Promise<readonly string[]> {
    return this.#call('keys', (records) => records.keys())
  }

  holdRole(role: string, ttlMs: number): Promise<'kept' | 'gained' | 'other'> {
    return this.#call('holdRole', (records, origin) => records.holdRole({ origin, key: role }, ttlMs))
  }

  resignRole(role: string): Promise<void> {
    return this.#call('resignRole', (records, origin) => records.resignRole({ origin, key: role }))
  }

  putEntry(key: string, entry: EntryWrite): Promise<boolean> {
    return this.#call('putEntry', ({ entries }, origin) => entries.put({ origin, key }, entry))
  }

  renewEntries(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]> {
    return this.#call('renewEntries', ({ entries }, origin) => entries.renew(origin, keys, renewal))
  }

  removeEntry(key: string): Promise<void> {
    return this.#call('removeEntry', ({ entries }, origin) => entries.remove({ origin, key }))
  }

  entries(): Promise<readonly StoredEntry[]> {
    return this.#call('entries', ({ entries }) => entries.all())
  }

  tell(topic: string, text: string): Promise<void> {
    return this.#call('tell', ({ entries }, origin) => entries.tell(origin, { topic, text }))
  }

  /** An open store works. */
  probe(): Promise<void> {
    return this.#call('probe', () => {})
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#listener === undefined) return
    this.#deps.listeners.delete(this.#listener)
    this.#listener = undefined
    this.#deps.records.giveUpAllOf(this.origin)
  }

  async #call<T>(method: StoreMethod, serve: (records: LocalRecords, origin: string) => T): Promise<T> {
    if (this.#listener === undefined) throw localStoreUnavailable(method, undefined)
    return serve(this.#deps.records, this.origin)
  }
}
