import type { CoordinationStore, EntryChange, EntryRenewal, EntryWrite } from './coordination-store.ts'
import { inBatches } from './in-batches.ts'
import type { EntriesMember, SharedEntries } from './shared-entries.ts'
import type { StoreHealth } from './store-health.ts'

/** What sharing entries works with. */
export interface FleetEntriesDeps {
  readonly store: CoordinationStore
  readonly health: StoreHealth
  /** Has everything read again that the store has. Never rejects. */
  readonly sync: () => Promise<void>
}

/** The part of the store that a heartbeat must try after a failure here. */
const part = 'entries'
/** Entries put at the same time. */
const atOnce = 50

/** Entries in the store of a fleet. */
export class FleetEntries implements SharedEntries {
  readonly #deps: FleetEntriesDeps
  readonly #members = new Set<EntriesMember>()

  constructor(deps: FleetEntriesDeps) {
    this.#deps = deps
  }

  get origin(): string {
    return this.#deps.store.origin
  }

  get isAlone(): boolean {
    return this.#deps.health.isAlone
  }

  put(key: string, entry: EntryWrite): Promise<boolean> {
    return this.#attempt((store) => store.putEntry(key, entry), false)
  }

  renew(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]> {
    return this.#attempt((store) => store.renewEntries(keys, renewal), [])
  }

  remove(key: string): Promise<void> {
    return this.#attempt((store) => store.removeEntry(key), undefined)
  }

  tell(topic: string, text: string): Promise<void> {
    return this.#attempt((store) => store.tell(topic, text), undefined)
  }

  readAgain(): Promise<void> {
    return this.#deps.sync()
  }

  attach(member: EntriesMember): Disposable {
    this.#members.add(member)
    member.turned(this.isAlone)
    void this.#deps.sync()
    return { [Symbol.dispose]: () => void this.#members.delete(member) }
  }

  /** Takes over what was published; what this gateway itself said it knows. */
  hear(change: EntryChange): void {
    if (change.origin === this.origin) return
    for (const member of this.#members) member.hear(change)
  }

  /**
   * Reads all entries, and puts those that the store lacks.
   * @throws GatewayError `lease_store_unavailable`
   */
  async recover(): Promise<void> {
    const { store } = this.#deps
    for (const member of this.#members) {
      const lacking = await member.catchUp(await store.entries())
      await inBatches(lacking, atOnce, async ({ key, ...entry }) => void (await store.putEntry(key, entry)))
    }
  }

  /** Tells the members that this gateway has begun or ceased to be alone. */
  turned(): void {
    for (const member of this.#members) member.turned(this.isAlone)
  }

  #attempt<T>(shared: (store: CoordinationStore) => Promise<T>, otherwise: T): Promise<T> {
    const { store, health } = this.#deps
    return health.attempt(
      part,
      () => shared(store),
      () => otherwise,
    )
  }
}
