/** What a store knows of one function; times in microseconds of the store's clock. Replaced, never changed. */
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
  /** Undefined for none, as after a deletion. */
  readonly body: string | undefined
  /** When the whole record goes, milliseconds of the store's clock; Infinity keeps it. */
  readonly expiresAtMs: number
}

/** Of a function that nobody has spoken of. */
export const emptyRecord: StoredRecord = {
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

/** Whether a record tells who asks for a lease that it needs none. */
export function isAnswer({ phase, retryAt }: StoredRecord, nowUs: number): boolean {
  return phase === 'ready' || ((phase === 'failed' || phase === 'absent') && retryAt > nowUs)
}

/** What a condition on a record's version is compared with: that of a deleted record stays, but counts as none. */
export function currentVersion({ body, version }: StoredRecord): number {
  return body === undefined ? 0 : version
}

/** Converts to milliseconds, rounded down. */
export function toMs(us: number): number {
  return Math.floor(us / 1000)
}
