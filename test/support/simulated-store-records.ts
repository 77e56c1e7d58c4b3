import { LocalRecords } from '../../core/coordination/local-store/local-records.ts'
import type { StoredRecord } from '../../core/coordination/local-store/stored-record.ts'

/** Changes that {@link StoreRecords.undo} can take back. */
const mostRemembered = 500

/** Records in memory that can be lost, in part or all, and looked at. */
export class StoreRecords extends LocalRecords {
  #undo: (() => void)[] = []

  /** Loses everything, as FLUSHALL or a restart without persistence does. */
  clear(): void {
    this.records.clear()
    this.roles.clear()
    this.listed.clear()
    this.entryTable.clear()
    this.#undo = []
  }

  /** Takes the last writes back, as a failover to a replica does that has not seen them. */
  undo(writes: number): void {
    for (let left = writes; left > 0; left -= 1) this.#undo.pop()?.()
  }

  override at(key: string, now?: number): StoredRecord {
    return super.at(key, now)
  }

  protected override put<T>(table: Map<string, T>, key: string, value: T | undefined): void {
    const before = table.get(key)
    super.put(table, key, value)
    this.#undo.push(() => super.put(table, key, before))
    if (this.#undo.length > mostRemembered) this.#undo.shift()
  }
}
