import type {
  LeaseAnswer,
  LeaseRequest,
  StateWrite,
  StoreChange,
  StoredState,
  WriteAnswer,
} from '../coordination-store.ts'
import { gatewayEntry } from '../gateway-entries.ts'
import { LocalEntries, type EntryTable } from './local-entries.ts'
import { currentVersion, emptyRecord, isAnswer, toMs, type StoredRecord } from './stored-record.ts'

/** Whose call it is. */
export interface Asker {
  readonly origin: string
  readonly key: string
}

/** What records find around them: the time, and somewhere to publish. */
export interface RecordSurroundings {
  /** Microseconds of the Unix epoch. */
  readonly nowUs: () => number
  readonly publish: (change: StoreChange) => void
}

/** A stored value with an end: a role's holder. */
interface HeldRole {
  readonly holder: string
  readonly expiresAtMs: number
}

/** How long fence and version outlive a deletion. */
const forgottenExpiryMs = 60_000
/** A larger `aboveFence` is ignored: beyond 2^53 numbers are not exact. */
const largestAbove = 2 ** 52
/** So many records are not looked through for such as can go. */
const unsweptRecords = 1_000
/** Records that may expire and are not under a lease: when there are more, those that were made first go early. */
const mostPassingRecords = 50_000

/**
 * Records, leases, roles and entries in the memory of this process: what the scripts of core/redis/scripts do, statement by statement.
 *
 * Memory: at most twice as many records as are to be kept, are leased, or belong to the last 50,000 others; at most twice as many
 * entries as are not over.
 */
export class LocalRecords {
  protected readonly records = new Map<string, StoredRecord>()
  protected readonly roles = new Map<string, HeldRole>()
  protected readonly listed = new Map<string, true>()
  protected readonly entryTable: EntryTable = new Map()
  readonly entries: LocalEntries
  readonly #around: RecordSurroundings
  #sweepAbove = unsweptRecords

  constructor(around: RecordSurroundings) {
    this.#around = around
    this.entries = new LocalEntries(around, this.entryTable, (key, entry) => this.put(this.entryTable, key, entry))
  }

  /** As acquire-lease.lua does. */
  acquire({ origin, key }: Asker, { ttlMs, knownVersion, aboveFence }: LeaseRequest): LeaseAnswer {
    const now = this.#around.nowUs()
    const record = this.at(key, now)
    const isNews = record.body !== undefined && record.version > knownVersion
    const news = isNews ? { news: toStored(record, now) } : {}
    if (isNews && isAnswer(record, now)) return { role: 'follower', remainingMs: 0, ...news }
    if (record.holder !== origin && this.isHeld(record, now)) {
      return { role: 'follower', remainingMs: Math.ceil((record.until - now) / 1000), ...news }
    }
    const above = aboveFence > largestAbove ? 0 : aboveFence + 1
    const fence = Math.max(this.nextFence(record, now), above)
    const expiresAtMs = record.body === undefined ? toMs(now) + ttlMs * 10 : outliving(record, now, ttlMs)
    this.#set(key, { ...record, fence, holder: origin, until: now + ttlMs * 1000, ttlMs, expiresAtMs })
    return { role: 'leader', fence, tookOver: record.holder !== '' && record.holder !== origin, ...news }
  }

  /** As renew-lease.lua does. */
  renew(asker: Asker, { fence, ttlMs }: { readonly fence: number; readonly ttlMs: number }): boolean {
    const now = this.#around.nowUs()
    const record = this.at(asker.key, now)
    if (!isLease(record, asker, fence)) return false
    const expiresAtMs = outliving(record, now, ttlMs)
    this.#set(asker.key, { ...record, until: now + ttlMs * 1000, ttlMs, expiresAtMs })
    return true
  }

  /** As release-lease.lua does. */
  release(asker: Asker, fence: number): void {
    const { origin, key } = asker
    const record = this.at(key, this.#around.nowUs())
    if (!isLease(record, asker, fence)) return
    this.#set(key, { ...record, holder: '', until: 0 })
    this.#around.publish({ kind: 'released', key, origin })
  }

  /** As write-state.lua does. */
  write({ origin, key }: Asker, state: StateWrite): WriteAnswer {
    const now = this.#around.nowUs()
    const record = this.at(key, now)
    if (this.refuses(record, state)) {
      return { written: false, stored: record.body === undefined ? undefined : toStored(record, now) }
    }
    const version = nextVersion(record, now)
    const { phase, body, retryInMs, expiresInMs } = state
    const leasedMs = Math.ceil((record.until - now) / 1000)
    this.#set(key, {
      ...record,
      fence: state.condition === 'fence' ? state.value : record.fence,
      version,
      at: now,
      phase,
      retryAt: now + retryInMs * 1000,
      body,
      expiresAtMs: expiresInMs === 0 ? Number.POSITIVE_INFINITY : toMs(now) + Math.max(expiresInMs, leasedMs, 1),
    })
    this.#around.publish({ kind: 'state', key, version, previous: currentVersion(record), origin, body })
    return { written: true, version }
  }

  /** As read-state.lua does. */
  read(key: string): StoredState | undefined {
    const now = this.#around.nowUs()
    const record = this.at(key, now)
    return record.body === undefined ? undefined : toStored(record, now)
  }

  /** As forget-state.lua does. */
  forget({ origin, key }: Asker): number {
    const now = this.#around.nowUs()
    const record = this.at(key, now)
    const version = nextVersion(record, now)
    const { at, phase, retryAt, body } = emptyRecord
    this.#set(key, { ...record, version, at, phase, retryAt, body, expiresAtMs: toMs(now) + forgottenExpiryMs })
    this.#around.publish({ kind: 'gone', key, version, previous: currentVersion(record), origin })
    return version
  }

  /** As hold-role.lua does. */
  holdRole({ origin, key }: Asker, ttlMs: number): 'kept' | 'gained' | 'other' {
    const nowMs = toMs(this.#around.nowUs())
    const held = this.roles.get(key)
    const isHeld = held !== undefined && nowMs <= held.expiresAtMs
    if (isHeld && held.holder !== origin) return 'other'
    this.put(this.roles, key, { holder: origin, expiresAtMs: nowMs + ttlMs })
    return isHeld ? 'kept' : 'gained'
  }

  /** As resign-role.lua does. */
  resignRole({ origin, key }: Asker): void {
    if (this.roles.get(key)?.holder === origin) this.put(this.roles, key, undefined)
  }

  /** Adds to the list of kept functions. */
  addKey(key: string): void {
    if (!this.listed.has(key)) this.put(this.listed, key, true)
  }

  /** Takes from the list of kept functions. */
  removeKey(key: string): void {
    if (this.listed.has(key)) this.put(this.listed, key, undefined)
  }

  /** The list of kept functions. */
  keys(): readonly string[] {
    return [...this.listed.keys()]
  }

  /** Gives up all leases and roles of a member that is gone, and says that it is, so that nobody need wait for it. */
  giveUpAllOf(origin: string): void {
    for (const [key, { holder, fence }] of this.records) if (holder === origin) this.release({ origin, key }, fence)
    for (const key of this.roles.keys()) this.resignRole({ origin, key })
    this.entries.remove({ origin, key: gatewayEntry(origin) })
  }

  /** The record of a function as it stands; an empty one for none. */
  protected at(key: string, now: number = this.#around.nowUs()): StoredRecord {
    const record = this.records.get(key)
    return record === undefined || isExpired(record, now) ? emptyRecord : record
  }

  /** Whether the lease of a function is somebody's: not when it seems to last longer than it was given for. */
  protected isHeld({ holder, until, ttlMs }: StoredRecord, now: number): boolean {
    return holder !== '' && until > now && until - now <= ttlMs * 1000
  }

  /** Fence of the next lease of a function. */
  protected nextFence({ fence }: StoredRecord, now: number): number {
    return Math.max(fence + 1, now)
  }

  /** Whether the condition of a write is not met. */
  protected refuses(record: StoredRecord, { condition, value }: StateWrite): boolean {
    return condition === 'fence' ? value < record.fence : value !== currentVersion(record)
  }

  /** Changes an entry of a table; undefined deletes it. All changes are made here. */
  protected put<T>(table: Map<string, T>, key: string, value: T | undefined): void {
    if (value === undefined) table.delete(key)
    else table.set(key, value)
  }

  #set(key: string, record: StoredRecord): void {
    this.put(this.records, key, record)
    if (this.records.size > this.#sweepAbove) this.#sweep()
  }

  /** Work in proportion to what was added since the last time. */
  #sweep(): void {
    const now = this.#around.nowUs()
    const passing: string[] = []
    for (const [key, record] of this.records) {
      if (isExpired(record, now)) this.put(this.records, key, undefined)
      else if (record.expiresAtMs !== Number.POSITIVE_INFINITY && !this.isHeld(record, now)) passing.push(key)
    }
    const excess = Math.max(0, passing.length - mostPassingRecords)
    for (const key of passing.slice(0, excess)) this.put(this.records, key, undefined)
    this.#sweepAbove = Math.max(unsweptRecords, 2 * this.records.size)
  }
}

function isLease({ holder, fence }: StoredRecord, { origin }: Asker, claimed: number): boolean {
  return holder === origin && fence === claimed
}

function isExpired({ expiresAtMs }: StoredRecord, now: number): boolean {
  return toMs(now) > expiresAtMs
}

/** When a record expires that must not do so while a lease of `ttlMs` is used. */
function outliving({ expiresAtMs }: StoredRecord, now: number, ttlMs: number): number {
  return Math.max(expiresAtMs, toMs(now) + ttlMs * 10)
}

function nextVersion({ version }: StoredRecord, now: number): number {
  return Math.max(version + 1, now)
}

function toStored({ version, at, body = '' }: StoredRecord, now: number): StoredState {
  return { version, ageMs: Math.max(0, Math.floor((now - at) / 1000)), body }
}
