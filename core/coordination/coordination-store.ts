/** A function's record in the store. */
export interface StoredState {
  /** Grows with every write of the function, across restarts of the store; 0 is no record. */
  readonly version: number
  /** Milliseconds since it was written, by the store's clock. */
  readonly ageMs: number
  /** What a gateway wrote; see state-record.ts. */
  readonly body: string
}

/** The store's answer to an attempt to take a lease; `news` is the record when the caller has not seen that version. */
export type LeaseAnswer =
  | { readonly role: 'leader'; readonly fence: number; readonly tookOver: boolean; readonly news?: StoredState }
  /** Another holder has the lease for `remainingMs` more, or the record answers the caller's question (0). */
  | { readonly role: 'follower'; readonly remainingMs: number; readonly news?: StoredState }

/** What is asked of the store to take a lease. */
export interface LeaseRequest {
  readonly ttlMs: number
  /** Version of the record that the caller knows. */
  readonly knownVersion: number
  /** The new fence must exceed it. */
  readonly aboveFence: number
}

/** A record to write. */
export interface StateWrite {
  /** `fence`: refused when a larger one was given out or written. `version`: refused unless the record has exactly this one. */
  readonly condition: 'fence' | 'version'
  readonly value: number
  /** Phase of the state, which the store must know to answer lease requests. */
  readonly phase: string
  /** Milliseconds until another try is allowed; 0 unless failed or absent. */
  readonly retryInMs: number
  /** Milliseconds until the store may forget it; 0 keeps it. */
  readonly expiresInMs: number
  readonly body: string
}

/** Whether a record was written: the new version, or what stands in its place. */
export type WriteAnswer =
  | { readonly written: true; readonly version: number }
  | { readonly written: false; readonly stored: StoredState | undefined }

/** An entry to put: what some gateway knows of something that comes and goes, for as long as somebody vouches for it. */
export interface EntryWrite {
  /** A text of the caller's own; the store does not look into it. */
  readonly body: string
  /** Whole, 0 or more: an entry of a smaller rank does not replace one of a larger. */
  readonly rank: number
  /** Milliseconds until the entry is over unless it is renewed; at most ten minutes. */
  readonly ttlMs: number
}

/** An entry as it stands. */
export interface StoredEntry {
  readonly key: string
  readonly body: string
  readonly rank: number
  readonly remainingMs: number
}

/** What is renewed at a time, and told to all with it. */
export interface EntryRenewal {
  /** As that of an {@link EntryWrite}. */
  readonly ttlMs: number
  /** A text of the caller's own, for whoever hears of the renewal. */
  readonly note: string
}

/** Most entries that are renewed at a time. */
export const maxRenewals = 500

/** What is published of entries, and what gateways tell each other. */
export type EntryChange =
  | ({ readonly kind: 'entry'; readonly key: string; readonly origin: string } & EntryWrite)
  /** A gateway has renewed these, also those that the store does not have: it puts them again. */
  | ({ readonly kind: 'renewed'; readonly keys: readonly string[]; readonly origin: string } & EntryRenewal)
  /** Removed before its time was over. */
  | { readonly kind: 'entry_gone'; readonly key: string; readonly origin: string }
  /** Concerns nothing that is stored. */
  | { readonly kind: 'told'; readonly topic: string; readonly origin: string; readonly text: string }

/** What is published of functions. */
export type FunctionChange = Exclude<StoreChange, EntryChange>

/** What is published of every change. `previous` is the version before; `origin` is the gateway that wrote. */
export type StoreChange =
  | {
      readonly kind: 'state'
      readonly key: string
      readonly version: number
      readonly previous: number
      readonly origin: string
      readonly body: string
    }
  | {
      readonly kind: 'gone'
      readonly key: string
      readonly version: number
      readonly previous: number
      readonly origin: string
    }
  /** A lease was given up before anybody found the function ready. */
  | { readonly kind: 'released'; readonly key: string; readonly origin: string }
  | EntryChange

/**
 * What gateways of one fleet share: leases, records of functions, roles, entries with an end, and a publication of every change.
 * Redis in production.
 *
 * Guarantee: each call on one function is atomic; fences and versions of a function strictly increase as long as the store's
 * clock does not go back further than the store's memory of them.
 * Errors: every method rejects with `GatewayError` `lease_store_unavailable` within its time limit when the store does not
 * answer or refuses; whether it took effect is unknown then.
 */
export interface CoordinationStore extends AsyncDisposable {
  /** What the log calls it. */
  readonly name: string
  /**
   * Unique to this gateway process: holder of its leases, origin of its changes. `<host>-<unique>` where gateways of several machines may
   * share the store; without a hyphen where it is of one machine.
   */
  readonly origin: string
  /**
   * Opens connections in the background and keeps them open. Changes go to `onChange` from now on; `onSubscribed` is called
   * each time the subscription stands, the first time included: what was published before may have been missed.
   */
  open(onChange: (change: StoreChange) => void, onSubscribed: () => void): void
  acquire(key: string, request: LeaseRequest): Promise<LeaseAnswer>
  /** @returns false when the lease is not held any more */
  renew(key: string, lease: { readonly fence: number; readonly ttlMs: number }): Promise<boolean>
  /** Gives a lease up and says so to all; nothing happens when it is not held any more. */
  release(key: string, fence: number): Promise<void>
  write(key: string, state: StateWrite): Promise<WriteAnswer>
  read(key: string): Promise<StoredState | undefined>
  /** Deletes a record, published as `gone`. Leases and fences of the function stay. */
  forget(key: string): Promise<number>
  /** Adds keys to, or removes them from, the list of functions whose records are kept. */
  addKey(key: string): Promise<void>
  removeKey(key: string): Promise<void>
  /** The keys that {@link addKey} added. */
  keys(): Promise<readonly string[]>
  /** Takes or prolongs a role: `kept` when it was held here before, `gained`, or `other` when somebody else has it. */
  holdRole(role: string, ttlMs: number): Promise<'kept' | 'gained' | 'other'>
  resignRole(role: string): Promise<void>
  /**
   * Puts an entry, which is published; one that stands already as it is given is prolonged, and nobody told.
   * @returns false when one of a larger rank stands in its place
   */
  putEntry(key: string, entry: EntryWrite): Promise<boolean>
  /**
   * Prolongs entries, whatever their rank, and tells all.
   * @param keys at most {@link maxRenewals}
   * @returns those that the store does not have
   */
  renewEntries(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]>
  /** Removes an entry, published as `entry_gone` when there was one. */
  removeEntry(key: string): Promise<void>
  /** All entries; what changes while they are read may be told as it was, or as it is. */
  entries(): Promise<readonly StoredEntry[]>
  /** Tells all gateways something, this one included, and keeps nothing. */
  tell(topic: string, text: string): Promise<void>
  /**
   * Resolves when the store takes writes and what is published there arrives here.
   * @param key a function whose part of the store is tried
   */
  probe(key: string): Promise<void>
}
