import { LRUCache } from 'lru-cache'
import type { FunctionState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import type { CoordinationMetrics } from './coordination-metrics.ts'
import type { CoordinationStore, StateWrite, StoreChange, StoredState } from './coordination-store.ts'
import { inBatches } from './in-batches.ts'
import { fromRecord, isConfirmed, toRecord } from './state-record.ts'

/** Versions remembered; those of functions that nobody has spoken of for longest go first, which costs a read. */
const maxVersions = 100_000
/** Records read at the same time. */
const readsAtOnce = 50

/** What keeping states in step works with. */
export interface SharedStatesDeps {
  readonly store: CoordinationStore
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  readonly metrics: CoordinationMetrics
}

/** A change as far as states are concerned. */
type StateChange = Exclude<StoreChange, { kind: 'released' }>

/**
 * Keeps this gateway's directory in step with the store's records.
 *
 * Invariant: per function, an older version never replaces a newer one, however answers and messages overtake each other;
 * unless the store itself went back (flushed, or failed over to a copy that lags): what is read then counts.
 */
export class SharedStates {
  readonly #deps: SharedStatesDeps
  readonly #versions = new LRUCache<string, number>({ max: maxVersions })
  /** Keys in the store's list, as far as known here. */
  #listed = new Set<string>()
  /** Functions known here that the last {@link sync} did not find in the store's list. */
  #unlisted: ReadonlySet<string> = new Set()
  /** Functions whose state here the store has not been told. */
  readonly #untold = new Map<string, FunctionState['identity']>()

  constructor(deps: SharedStatesDeps) {
    this.#deps = deps
  }

  /** Version of the record that the directory's state was made from; 0 for none. */
  version(key: string): number {
    return this.#versions.get(key) ?? 0
  }

  /**
   * Writes a state to the store, and to the directory when the store took it; learns what stands instead otherwise.
   * @throws GatewayError `lease_store_unavailable`
   */
  async write(state: FunctionState, { condition, value }: Pick<StateWrite, 'condition' | 'value'>): Promise<boolean> {
    const { store, directory, clock, metrics } = this.#deps
    const { key } = state.identity
    const before = this.version(key)
    const answer = await store.write(key, { condition, value, ...toRecord(state, clock.nowMs()) })
    if (!answer.written) {
      this.learn(key, answer.stored, before)
      await this.#listConfirmed(directory.get(key))
      return false
    }
    metrics.published()
    this.#untold.delete(key)
    if (this.#isCurrent(key, answer.version, before)) {
      this.#versions.set(key, answer.version)
      directory.apply(state)
    }
    await this.#listConfirmed(state)
    return true
  }

  /**
   * Takes an observation over that says what the store knows already. A store that went back may lack the function in its list.
   * @throws GatewayError `lease_store_unavailable`
   */
  async confirm(state: FunctionState): Promise<void> {
    this.#deps.directory.apply(state)
    await this.#listConfirmed(state)
  }

  /** @throws GatewayError `lease_store_unavailable` */
  async forget(key: string): Promise<void> {
    const { store, directory, metrics } = this.#deps
    this.#versions.set(key, await store.forget(key))
    metrics.published()
    this.#untold.delete(key)
    directory.remove(key)
    this.#listed.delete(key)
    await store.removeKey(key)
  }

  /** Remembers to tell the store of a function's state, or of its end, once it can be reached. */
  tellLater(identity: FunctionState['identity']): void {
    this.#untold.set(identity.key, identity)
  }

  /**
   * Takes over what the store answered about a function. @param before the version known when it was asked
   */
  learn(key: string, stored: StoredState | undefined, before: number): void {
    if (stored === undefined) {
      if (this.version(key) === before) this.#versions.delete(key)
      return
    }
    if (this.#isCurrent(key, stored.version, before)) this.#take(key, stored)
  }

  /** Takes over what another gateway published. */
  hear(change: StateChange): void {
    const { store, metrics, directory } = this.#deps
    if (change.origin === store.origin) return
    const { key, version } = change
    metrics.heard()
    const known = this.version(key)
    if (version <= known) {
      // Overtaken by an answer; or the store went back in time, which a second look tells.
      void this.#lookAgain(key)
      return
    }
    if (change.previous !== (directory.get(key) === undefined ? 0 : known)) metrics.gap()
    if (change.kind === 'state') {
      this.#take(key, { version, ageMs: 0, body: change.body })
      return
    }
    this.#versions.set(key, version)
    this.#listed.delete(key)
    directory.remove(key)
  }

  /**
   * Reads all records, and tells the store what it has missed of this gateway. What is listed nowhere twice in a row is
   * forgotten here; an empty store has lost its memory and is filled again by the feed.
   * @throws GatewayError `lease_store_unavailable`
   */
  async sync(): Promise<void> {
    const { store, directory } = this.#deps
    const keys = await store.keys()
    await inBatches(keys, readsAtOnce, (key) => this.#read(key))
    this.#listed = new Set(keys)
    const unlisted = [...directory.known()].map(({ identity }) => identity.key).filter((key) => !this.#listed.has(key))
    for (const key of unlisted) {
      if (this.#untold.has(key)) continue
      this.#versions.delete(key)
      if (keys.length > 0 && this.#unlisted.has(key)) directory.remove(key)
    }
    this.#unlisted = new Set(unlisted)
    await inBatches([...this.#untold.keys()], readsAtOnce, (key) => this.#tell(key))
  }

  async #tell(key: string): Promise<void> {
    const state = this.#deps.directory.get(key)
    if (state === undefined) await this.forget(key)
    // Whoever wrote since knows better.
    else await this.write(state, { condition: 'version', value: this.version(key) })
    this.#untold.delete(key)
  }

  async #read(key: string): Promise<void> {
    const before = this.version(key)
    const stored = await this.#deps.store.read(key)
    // Whoever wrote while this gateway decided alone knows better: they still saw what all others found.
    if (stored !== undefined && stored.version > before) this.#untold.delete(key)
    if (!this.#untold.has(key)) this.learn(key, stored, before)
    else if (this.version(key) === before) this.#versions.set(key, stored?.version ?? 0)
  }

  async #lookAgain(key: string): Promise<void> {
    // Should the store be away, who asks next finds out.
    await this.#read(key).catch(() => {})
  }

  async #listConfirmed(state: FunctionState | undefined): Promise<void> {
    if (state === undefined || !isConfirmed(state) || this.#listed.has(state.identity.key)) return
    await this.#deps.store.addKey(state.identity.key)
    this.#listed.add(state.identity.key)
  }

  /** Whether an answer counts: it is newer than what is known, or nothing else was learnt while it was on its way. */
  #isCurrent(key: string, version: number, before: number): boolean {
    const known = this.version(key)
    return version > known || known === before
  }

  #take(key: string, stored: StoredState): void {
    const { directory, clock } = this.#deps
    const isNew = this.version(key) !== stored.version || directory.get(key) === undefined
    this.#versions.set(key, stored.version)
    if (!isNew) return
    const state = fromRecord(key, stored, clock.nowMs())
    if (state !== undefined) directory.apply(state)
  }
}
