import type { EntryChange, EntryRenewal, EntryWrite, StoredEntry } from './coordination-store.ts'

/** An entry, and its key. */
export interface KeyedEntry extends EntryWrite {
  readonly key: string
}

/** Who keeps in step with the entries of a fleet. None of its methods may throw. */
export interface EntriesMember {
  /** Another gateway has changed or told something. */
  hear(change: EntryChange): void
  /**
   * Takes over what the store has: at first, whenever something may have been missed, and now and then.
   * @returns what is known here and the store lacks, to be put there
   */
  catchUp(stored: readonly StoredEntry[]): Promise<readonly KeyedEntry[]>
  /** What is shared can, or cannot, be used from now on. */
  turned(isAlone: boolean): void
}

/**
 * Entries that gateways of a fleet share; see {@link CoordinationStore}. While the store cannot be used nothing is shared, and
 * nobody need notice: a member that comes back is told all, and asked what the others have missed. Methods never reject because of
 * the store.
 */
export interface SharedEntries {
  /** Names this gateway in what others hear. */
  readonly origin: string
  /** Whether nothing can be shared now. */
  readonly isAlone: boolean
  /** @returns false when it was not shared: this gateway is alone, or an entry of a larger rank stands in its place */
  put(key: string, entry: EntryWrite): Promise<boolean>
  /** @returns the keys that the store does not have; none when this gateway is alone */
  renew(keys: readonly string[], renewal: EntryRenewal): Promise<readonly string[]>
  remove(key: string): Promise<void>
  tell(topic: string, text: string): Promise<void>
  /** Has the members told all that the store has, once more. Never rejects. */
  readAgain(): Promise<void>
  /** Has a member kept in step from now on. */
  attach(member: EntriesMember): Disposable
}

/** Of a gateway that has no others. */
export class NoEntries implements SharedEntries {
  readonly origin = 'this gateway'
  readonly isAlone = true

  async put(): Promise<boolean> {
    return false
  }

  async renew(): Promise<readonly string[]> {
    return []
  }

  async remove(): Promise<void> {}

  async tell(): Promise<void> {}

  async readAgain(): Promise<void> {}

  attach(): Disposable {
    return { [Symbol.dispose]: () => {} }
  }
}
