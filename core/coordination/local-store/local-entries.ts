import type { EntryRenewal, EntryWrite, StoredEntry } from '../coordination-store.ts'
import type { Asker, RecordSurroundings } from './local-records.ts'
import { toMs } from './stored-record.ts'

/** An entry and its end. */
interface HeldEntry {
  readonly body: string
  readonly rank: number
  readonly endsAtMs: number
}

/** Changes the table; undefined deletes. */
type Put = (key: string, entry: HeldEntry | undefined) => void

/** Table of the entries. */
export type EntryTable = Map<string, HeldEntry>

/** So many entries are not looked through for such as are over. */
const unsweptEntries = 1_000

/** Entries in the memory of this process: what the scripts of core/redis/scripts do with theirs. */
export class LocalEntries {
  readonly #around: RecordSurroundings
  readonly #table: EntryTable
  readonly #put: Put
  #sweepAbove = unsweptEntries

  /** @param put makes all changes of the table */
  constructor(around: RecordSurroundings, table: EntryTable, put: Put) {
    this.#around = around
    this.#table = table
    this.#put = put
  }

  /** As put-entry.lua does. */
  put({ origin, key }: Asker, { body, rank, ttlMs }: EntryWrite): boolean {
    const nowMs = this.#nowMs()
    const stored = this.#at(key, nowMs)
    if (stored !== undefined && stored.rank > rank) return false
    const whole = Math.ceil(ttlMs)
    this.#put(key, { body, rank, endsAtMs: nowMs + whole })
    if (this.#table.size > this.#sweepAbove) this.#sweep(nowMs)
    if (stored?.rank === rank && stored.body === body) return true
    this.#around.publish({ kind: 'entry', key, origin, rank, ttlMs: whole, body })
    return true
  }

  /** As renew-entries.lua does. */
  renew(origin: string, keys: readonly string[], { ttlMs, note }: EntryRenewal): readonly string[] {
    const nowMs = this.#nowMs()
    const whole = Math.ceil(ttlMs)
    const missing: string[] = []
    for (const key of keys) {
      const stored = this.#at(key, nowMs)
      if (stored === undefined) missing.push(key)
      else this.#put(key, { ...stored, endsAtMs: nowMs + whole })
    }
    this.#around.publish({ kind: 'renewed', keys, origin, ttlMs: whole, note })
    return missing
  }

  /** As remove-entry.lua does. */
  remove({ origin, key }: Asker): void {
    const stored = this.#at(key, this.#nowMs())
    this.#put(key, undefined)
    if (stored !== undefined) this.#around.publish({ kind: 'entry_gone', key, origin })
  }

  /** As read-entries.lua does, all at once. */
  all(): readonly StoredEntry[] {
    const nowMs = this.#nowMs()
    return [...this.#table]
      .filter(([, { endsAtMs }]) => endsAtMs > nowMs)
      .map(([key, { body, rank, endsAtMs }]) => ({ key, body, rank, remainingMs: endsAtMs - nowMs }))
  }

  /** Publishes what a member has to say. */
  tell(origin: string, { topic, text }: { readonly topic: string; readonly text: string }): void {
    this.#around.publish({ kind: 'told', topic, origin, text })
  }

  #at(key: string, nowMs: number): HeldEntry | undefined {
    const stored = this.#table.get(key)
    return stored !== undefined && stored.endsAtMs > nowMs ? stored : undefined
  }

  #nowMs(): number {
    return toMs(this.#around.nowUs())
  }

  /** Work in proportion to what was added since the last time. */
  #sweep(nowMs: number): void {
    for (const [key, { endsAtMs }] of this.#table) if (endsAtMs <= nowMs) this.#put(key, undefined)
    this.#sweepAbove = Math.max(unsweptEntries, 2 * this.#table.size)
  }
}
