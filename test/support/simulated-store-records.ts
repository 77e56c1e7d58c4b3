import type {
  LeaseAnswer,
  LeaseRequest,
  StateWrite,
  StoreChange,
  StoredState,
  WriteAnswer,
} from '../../core/coordination/coordination-store.ts'

/** A function's hash in Redis; times in microseconds of the server's clock. Replaced, never changed. */
export interface StoredRecord {
  readonly fence: number
  readonly holder: string
  readonly until: number
  /** What the lease was given for, milliseconds. */
  readonly ttlMs: number
  readonly version: number
  readonly at: number
  readonly phase: string
  readonly retryAt: number
  /** Undefined for none, as after {@link StoreRecords.forget}. */
  readonly body: string | undefined
  /** When the key expires, milliseconds of the server's clock; Infinity keeps it. */
  readonly expiresAtMs: number
}

/** Whose call it is. */
export interface Asker {
  readonly origin: string
  readonly key: string
}

/** What the scripts find around them: the time, and somewhere to publish. */
export interface ScriptSurroundings {
  /** Microseconds of the Unix epoch, as the command TIME tells. */
  readonly nowUs: () => number
  readonly publish: (change: StoreChange) => void
}

/** A stored value with an end: a role's holder. */
interface Role {
  readonly holder: string
  readonly expiresAtMs: number
}

const empty: StoredRecord = {
  fence: 0,
  holder: '',
  until: 0,
  ttlMs: 0,
  version: 0,
  at: 0,
  phase: '',
  retryAt: 0,
  body: undefined,
  expiresAtMs: Number.POSITIVE_INFINITY,
}

/** As long as forget-state.lua keeps what is left of a record. */
const forgottenExpiryMs = 60_000
/** A larger `aboveFence` is ignored. */
const largestAbove = 2 ** 52
/** Writes that {@link StoreRecords.undo} can take back. */
const mostRemembered = 500

/** What the scripts of core/redis/scripts do, statement by statement, on records in memory. */
export class StoreRecords {
  readonly #around: ScriptSurroundings
  readonly #records = new Map<string, StoredRecord>()
  readonly #roles = new Map<string, Role>()
  readonly #keys = new Set<string>()
  #undo: (() => void)[] = []

  constructor(around: ScriptSurroundings) {
    this.#around = around
  }

  /** acquire-lease.lua */
  acquire({ origin, key }: Asker, { ttlMs, knownVersion, aboveFence }: LeaseRequest): LeaseAnswer {
    const now = this.#around.nowUs()
    const record = this.#get(key)
    const isNews = record.body !== undefined && record.version > knownVersion
    const news = isNews ? { news: this.#stored(record, now) } : {}
    if (isNews && isAnswer(record, now)) return { role: 'follower', remainingMs: 0, ...news }
    if (record.holder !== origin && this.isHeld(record, now)) {
      return { role: 'follower', remainingMs: Math.ceil((record.until - now) / 1000), ...news }
    }
    const fence = Math.max(this.nextFence(record, now), lowerBound(aboveFence))
    const isShort = record.body === undefined || this.#expiresWithin(record, ttlMs * 10)
    const expiresAtMs = isShort ? toMs(now) + ttlMs * 10 : record.expiresAtMs
    this.#set(key, { ...record, fence, holder: origin, until: now + ttlMs * 1000, ttlMs, expiresAtMs })
    return { role: 'leader', fence, tookOver: record.holder !== '' && record.holder !== origin, ...news }
  }

  /** renew-lease.lua */
  renew({ origin, key }: Asker, { fence, ttlMs }: { readonly fence: number; readonly ttlMs: number }): boolean {
    const record = this.#get(key)
    if (record.holder !== origin || record.fence !== fence) return false
    const now = this.#around.nowUs()
    const expiresAtMs = this.#expiresWithin(record, ttlMs * 10) ? toMs(now) + ttlMs * 10 : record.expiresAtMs
    this.#set(key, { ...record, until: now + ttlMs * 1000, ttlMs, expiresAtMs })
    return true
  }

  /** release-lease.lua */
  release({ origin, key }: Asker, fence: number): void {
    const record = this.#get(key)
    if (record.holder !== origin || record.fence !== fence) return
    this.#set(key, { ...record, holder: '', until: 0 })
    this.#around.publish({ kind: 'released', key, origin })
  }

  /** write-state.lua */
  write({ origin, key }: Asker, state: StateWrite): WriteAnswer {
    const now = this.#around.nowUs()
    const record = this.#get(key)
    const previous = record.body === undefined ? 0 : record.version
    if (this.refuses(record, state)) {
      return { written: false, stored: record.body === undefined ? undefined : this.#stored(record, now) }
    }
    const version = Math.max(record.version + 1, now)
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
    this.#around.publish({ kind: 'state', key, version, previous, origin, body })
    return { written: true, version }
  }

  /** read-state.lua */
  read(key: string): StoredState | undefined {
    const record = this.#get(key)
    return record.body === undefined ? undefined : this.#stored(record, this.#around.nowUs())
  }

  /** forget-state.lua */
  forget({ origin, key }: Asker): number {
    const now = this.#around.nowUs()
    const record = this.#get(key)
    const previous = record.body === undefined ? 0 : record.version
    const version = Math.max(record.version + 1, now)
    const { at, phase, retryAt, body } = empty
    this.#set(key, { ...record, version, at, phase, retryAt, body, expiresAtMs: toMs(now) + forgottenExpiryMs })
    this.#around.publish({ kind: 'gone', key, version, previous, origin })
    return version
  }

  /** hold-role.lua */
  holdRole({ origin, key }: Asker, ttlMs: number): 'kept' | 'gained' | 'other' {
    const nowMs = toMs(this.#around.nowUs())
    const held = this.#roles.get(key)
    const isHeld = held !== undefined && nowMs <= held.expiresAtMs
    if (isHeld && held.holder !== origin) return 'other'
    this.#change(this.#roles, key, { holder: origin, expiresAtMs: nowMs + ttlMs })
    return isHeld ? 'kept' : 'gained'
  }

  /** resign-role.lua */
  resignRole({ origin, key }: Asker): void {
    if (this.#roles.get(key)?.holder === origin) this.#change(this.#roles, key, undefined)
  }

  /** Adds to the list of kept functions. */
  addKey(key: string): void {
    if (this.#keys.has(key)) return
    this.#keys.add(key)
    this.#remember(() => this.#keys.delete(key))
  }

  /** Takes from the list of kept functions. */
  removeKey(key: string): void {
    if (this.#keys.delete(key)) this.#remember(() => this.#keys.add(key))
  }

  /** The list of kept functions. */
  keys(): readonly string[] {
    return [...this.#keys]
  }

  /** Loses everything, as FLUSHALL or a restart without persistence does. */
  clear(): void {
    this.#records.clear()
    this.#roles.clear()
    this.#keys.clear()
    this.#undo = []
  }

  /** Takes the last writes back, as a failover to a replica does that has not seen them. */
  undo(writes: number): void {
    for (let left = writes; left > 0; left -= 1) this.#undo.pop()?.()
  }

  /** The record as it stands; an empty one for none. */
  at(key: string): StoredRecord {
    return this.#get(key)
  }

  /** Whether the lease of a function is somebody's: also not when it seems to last longer than it was given for. */
  protected isHeld({ holder, until, ttlMs }: StoredRecord, now: number): boolean {
    return holder !== '' && until > now && until - now <= ttlMs * 1000
  }

  /** Fence of the next lease of a function. */
  protected nextFence({ fence }: StoredRecord, now: number): number {
    return Math.max(fence + 1, now)
  }

  /** The condition of write-state.lua. */
  protected refuses(record: StoredRecord, { condition, value }: StateWrite): boolean {
    if (condition === 'fence') return value < record.fence
    return value !== (record.body === undefined ? 0 : record.version)
  }

  #stored({ version, at, body = '' }: StoredRecord, now: number): StoredState {
    return { version, ageMs: Math.max(0, Math.floor((now - at) / 1000)), body }
  }

  #get(key: string): StoredRecord {
    const record = this.#records.get(key)
    return record === undefined || toMs(this.#around.nowUs()) > record.expiresAtMs ? empty : record
  }

  #expiresWithin({ expiresAtMs }: StoredRecord, ms: number): boolean {
    return expiresAtMs - toMs(this.#around.nowUs()) < ms
  }

  #set(key: string, record: StoredRecord): void {
    this.#change(this.#records, key, record)
  }

  #change<T>(all: Map<string, T>, key: string, value: T | undefined): void {
    const before = all.get(key)
    put(all, key, value)
    this.#remember(() => put(all, key, before))
  }

  #remember(undo: () => void): void {
    this.#undo.push(undo)
    if (this.#undo.length > mostRemembered) this.#undo.shift()
  }
}

/** Whether a record tells who asks for a lease that it needs none. */
function isAnswer({ phase, retryAt }: StoredRecord, now: number): boolean {
  return phase === 'ready' || ((phase === 'failed' || phase === 'absent') && retryAt > now)
}

/** What a fence above another one is at least. */
function lowerBound(aboveFence: number): number {
  return aboveFence > largestAbove ? 0 : aboveFence + 1
}

function put<T>(all: Map<string, T>, key: string, value: T | undefined): void {
  if (value === undefined) all.delete(key)
  else all.set(key, value)
}

function toMs(us: number): number {
  return Math.floor(us / 1000)
}
