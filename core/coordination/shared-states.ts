import { LRUCache } from 'lru-cache'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import type { CoordinationMetrics } from './coordination-metrics.ts'
import type { CoordinationStore, FunctionChange, StateWrite, StoredState } from './coordination-store.ts'
import { inBatches } from './in-batches.ts'
import { KeptList } from './kept-list.ts'
import { fromRecord, toRecord } from './state-record.ts'
import { UntoldStates, type Untold } from './untold-states.ts'

/** Versions remembered; those of functions that nobody has spoken of for longest go first, which costs a read. */
const maxVersions = 30_000
/** Records read or written at the same time. */
const atOnce = 50
/** How often what came up while telling is told before the rest is left for the next time. */
const maxTellings = 10

/** What keeping states in step works with. */
export interface SharedStatesDeps {
  readonly store: CoordinationStore
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  readonly metrics: CoordinationMetrics
}

/** A change as far as states are concerned. */
type StateChange = Exclude<FunctionChange, { kind: 'released' }>

/**
 * Keeps this gateway's directory in step with the store's records.
 *
 * Invariant: per function, an older version never replaces a newer one, however answers and messages overtake each other;
 * unless the store itself went back (flushed, or failed over to a copy that lags): what is read then counts.
 */
export class SharedStates {
  readonly #deps: SharedStatesDeps
  readonly #versions = new LRUCache<string, number>({ max: maxVersions })
  readonly #kept: KeptList
  readonly #untold = new UntoldStates()
  #syncing: Promise<void> = Promise.resolve()

  constructor(deps: SharedStatesDeps) {
    this.#deps = deps
    this.#kept = new KeptList(deps.store)
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
    const untold = this.#untold.get(key)
    const answer = await store.write(key, { condition, value, ...toRecord(state, clock.nowMs()) })
    const isNewest = this.#untold.settle(key, untold)
    if (!answer.written) {
      this.learn(key, answer.stored, before)
      await this.#list(directory.get(key))
      return false
    }
    metrics.published()
    if (this.#isCurrent(key, answer.version, before)) {
      this.#versions.set(key, answer.version)
      // What this gateway has decided alone meanwhile stands, and is told next.
      if (isNewest) directory.apply(state)
    }
    await this.#list(state)
    return true
  }

  /**
   * Takes an observation over that says what the store knows already. A store that went back may lack the function in its list.
   * @throws GatewayError `lease_store_unavailable`
   */
  async confirm(state: FunctionState): Promise<void> {
    this.#deps.directory.apply(state)
    await this.#list(state)
  }

  /** @throws GatewayError `lease_store_unavailable` */
  async forget(key: string): Promise<void> {
    const { store, directory, metrics } = this.#deps
    const untold = this.#untold.get(key)
    this.#versions.set(key, await store.forget(key))
    metrics.published()
    if (this.#untold.settle(key, untold)) directory.remove(key)
    await this.#kept.remove(key)
  }

  /**
   * Remembers to tell the store of a function's state, or of its end, once it can be reached. To be called while the function is
   * known: of names that nobody knows there is nothing to tell.
   */
  tellLater(identity: FunctionIdentity): void {
    const { key } = identity
    if (this.#deps.directory.knows(key) || this.version(key) > 0) this.#untold.add(identity)
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
    if (version === known) return
    if (version < known) {
      // Overtaken by an answer; or the store went back in time, which a second look tells.
      void this.#lookAgain(key)
      return
    }
    if (directory.knows(key) && change.previous !== known) metrics.gap()
    if (change.kind === 'state') {
      this.#take(key, { version, ageMs: 0, body: change.body })
      return
    }
    this.#versions.set(key, version)
    this.#kept.wasRemoved(key)
    directory.remove(key)
  }

  /**
   * Reads all records, and tells the store what it has missed of this gateway: what was decided alone, and functions known here
   * that are not in its list, because it has lost its memory or this gateway has missed their end. The next listing of the
   * provider tells which. One at a time: a further one begins when the present one has ended.
   * @throws GatewayError `lease_store_unavailable`
   */
  sync(): Promise<void> {
    this.#syncing = this.#syncing.catch(() => {}).then(() => this.#syncOnce())
    return this.#syncing
  }

  async #syncOnce(): Promise<void> {
    const { directory } = this.#deps
    const known = [...directory.known()]
    const keys = await this.#kept.read()
    await inBatches(keys, atOnce, (key) => this.#read(key))
    for (const { identity } of known) {
      if (this.#kept.has(identity.key) || !directory.knows(identity.key)) continue
      this.#versions.delete(identity.key)
      this.#untold.add(identity)
    }
    for (let round = 0; round < maxTellings && this.#untold.size > 0; round += 1) {
      await inBatches(this.#untold.all(), atOnce, (untold) => this.#tell(untold))
    }
  }

  async #tell(untold: Untold): Promise<void> {
    const { key } = untold.identity
    const state = this.#deps.directory.get(key)
    if (state === undefined) await this.forget(key)
    // Whoever wrote since knows better.
    else await this.write(state, { condition: 'version', value: this.version(key) })
    this.#untold.settle(key, untold)
  }

  async #read(key: string): Promise<void> {
    const before = this.version(key)
    const untold = this.#untold.get(key)
    const stored = await this.#deps.store.read(key)
    // Whoever wrote while this gateway decided alone knows better: they still saw what all others found.
    if (stored !== undefined && stored.version > before) this.#untold.settle(key, untold)
    if (this.#untold.get(key) === undefined) this.learn(key, stored, before)
    else if (this.version(key) === before) this.#versions.set(key, stored?.version ?? 0)
  }

  async #lookAgain(key: string): Promise<void> {
    try {
      await this.#read(key)
      if (this.version(key) === 0) this.#deps.directory.remove(key)
    } catch {
      // The store is away: who asks next finds out.
    }
  }

  async #list(state: FunctionState | undefined): Promise<void> {
    if (state !== undefined) await this.#kept.note(state)
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
