import { gatewayOf } from '../coordination/gateway-entries.ts'
import { maxRenewals, type EntryChange, type StoredEntry } from '../coordination/coordination-store.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { HeldInstance } from './held-instance.ts'
import type { SharingMetrics } from './sharing-metrics.ts'
import { gatewayTtlMs } from './heartbeats.ts'
import type { LiveGateways } from './live-gateways.ts'
import type { LocalInstances, Prolongation } from './local-instances.ts'
import { fromLoadNote, instanceOf, readSharedRecord, type SharedRecordRules } from './shared-records.ts'

/** What taking over from the store works with. */
export interface SharedIntakeDeps {
  readonly local: LocalInstances
  /** Of this gateway. */
  readonly origin: string
  readonly others: LiveGateways
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: SharingMetrics
  readonly settings: SharedRecordRules & { readonly ttlMs: number }
  /** Another gateway has told that an instance lives. */
  readonly onTold: (id: string) => void
  /** An instance is out here, by the word of another gateway. */
  readonly onLeaving: (instance: HeldInstance) => void
  /** A gateway is there that was not. */
  readonly onJoined: () => void
  /** Another gateway vouches for an instance that is not known here. Called now and then at most. */
  readonly onUnknown: () => void
}

/** An entry as it is published or read, with the time that it has left. */
interface LiveEntry {
  readonly key: string
  readonly body: string
  readonly rank: number
  readonly ttlMs: number
}

/** Records verified in one turn of the event loop: a millisecond or two. */
const atOnce = 200
/** Pause between two readings because of instances that are not known: some may never count. */
const readAgainEveryMs = 5_000
/** Pause between two lines in the log about records that do not count. */
const logEveryMs = 60_000

/** Takes over what other gateways share: verified, because whoever can write to the store may have written it. */
export class SharedIntake {
  readonly #deps: SharedIntakeDeps
  #nextLogAtMs = 0
  #nextReadingAtMs = 0

  constructor(deps: SharedIntakeDeps) {
    this.#deps = deps
  }

  hear(change: Exclude<EntryChange, { kind: 'told' }>): void {
    switch (change.kind) {
      case 'entry':
        return void this.#take(change, { isPublished: true })
      case 'renewed':
        return this.#renewed(change)
      case 'entry_gone':
        return this.#gone(change.key)
    }
  }

  /** Takes over all that the store has. @returns ranks by key, of entries that count */
  async catchUp(stored: readonly StoredEntry[]): Promise<ReadonlyMap<string, number>> {
    const ranks = new Map<string, number>()
    for (const [at, { key, rank, body, remainingMs }] of stored.entries()) {
      if (at % atOnce === atOnce - 1) await nextTurn()
      if (this.#take({ key, rank, body, ttlMs: remainingMs }, { isPublished: false })) ranks.set(key, rank)
    }
    return ranks
  }

  /** @returns whether the entry counts */
  #take(entry: LiveEntry, { isPublished }: { readonly isPublished: boolean }): boolean {
    const { local } = this.#deps
    const gateway = gatewayOf(entry.key)
    if (gateway !== undefined) return this.#seen(gateway, entry.ttlMs)
    const id = instanceOf(entry.key, this.#deps.origin)
    if (id === undefined) return false
    const known = local.get(id)
    if (known !== undefined && known.record.revision > entry.rank) return false
    if (known?.record.revision === entry.rank) local.prolong(known, this.#prolongation(entry.ttlMs))
    else if (!this.#verified(id, entry)) return false
    const instance = local.get(id)
    if (instance !== undefined) this.#isShared(instance, isPublished)
    return true
  }

  #verified(id: string, entry: LiveEntry): boolean {
    const { local, clock, settings, origin, onLeaving } = this.#deps
    try {
      const report = readSharedRecord(entry, settings, { origin, nowMs: clock.nowMs() })
      local.take(report, this.#prolongation(entry.ttlMs))
      const instance = local.get(id)
      if (instance?.record.phase === 'leaving') onLeaving(instance)
      return true
    } catch (error) {
      this.#refuse(id, error)
      return false
    }
  }

  /** What is published was signed a moment ago; what is read may have been for long. */
  #isShared(instance: HeldInstance, isPublished: boolean): void {
    if (isPublished || instance.sharedAtMs === Number.NEGATIVE_INFINITY) {
      instance.sharedAtMs = this.#deps.clock.monotonicMs()
    }
  }

  #renewed({ keys, note, ttlMs }: Extract<EntryChange, { kind: 'renewed' }>): void {
    const { local, origin, onTold } = this.#deps
    const loads = fromLoadNote(note)
    for (const [at, key] of keys.slice(0, maxRenewals).entries()) {
      const gateway = gatewayOf(key)
      if (gateway !== undefined) this.#seen(gateway, ttlMs)
      const id = instanceOf(key, origin)
      const instance = id === undefined ? undefined : local.get(id)
      if (instance !== undefined) {
        local.prolong(instance, this.#prolongation(ttlMs), loads[at])
        onTold(instance.record.id)
      } else if (id !== undefined) this.#unknown()
    }
  }

  #unknown(): void {
    const nowMs = this.#deps.clock.monotonicMs()
    if (nowMs < this.#nextReadingAtMs) return
    this.#nextReadingAtMs = nowMs + readAgainEveryMs
    this.#deps.onUnknown()
  }

  #gone(key: string): void {
    const gateway = gatewayOf(key)
    if (gateway !== undefined) this.#deps.others.gone(gateway)
  }

  #seen(gateway: string, ttlMs: number): boolean {
    const { others, origin, onJoined } = this.#deps
    if (gateway !== origin && others.seen(gateway, Math.min(ttlMs, gatewayTtlMs))) onJoined()
    return true
  }

  /** No longer than a report would: the store's clock may be wrong. */
  #prolongation(ttlMs: number): Prolongation {
    return { ttlMs: Math.min(ttlMs, this.#deps.settings.ttlMs), basis: 'store' }
  }

  #refuse(id: string, error: unknown): void {
    const { metrics, clock, log } = this.#deps
    const reason = metrics.refusedRecord(error)
    if (reason === 'outdated' || clock.monotonicMs() < this.#nextLogAtMs) return
    this.#nextLogAtMs = clock.monotonicMs() + logEveryMs
    log.warn('the shared store has a record of an instance that does not count', { instance: id, reason, err: error })
  }
}

/** Lets calls that have come meanwhile be served. */
function nextTurn(): Promise<void> {
  return new Promise((resolve) => void setImmediate(resolve))
}
