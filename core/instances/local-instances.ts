import { GatewayError } from '../errors/gateway-error.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import { DepartedInstances } from './departed-instances.ts'
import { HeldInstance, type LeaseBasis } from './held-instance.ts'
import type { InstanceDirectory } from './instance-directory.ts'
import type { InstanceLoad, InstanceReport } from './instance-record.ts'
import { ReadyLists } from './ready-lists.ts'
import { outdated } from './signed-report.ts'

/** What the directory works with. */
export interface LocalInstancesDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Most instances that are known at a time. Default 20,000. */
  readonly maxInstances?: number
}

/** For how long, and by what, an instance is known to live. */
export interface Prolongation {
  readonly ttlMs: number
  readonly basis: LeaseBasis
}

/** As an `InstanceListener`, with what only core may know. */
type HeldListener = (instance: HeldInstance, change: 'taken' | 'gone') => void

/**
 * What becomes of a report.
 * - `news`: its record was not known
 * - `prolonged`: the record was; the instance still lives
 * - `nothing`: a repetition, or a replay
 */
export type Taken = 'news' | 'prolonged' | 'nothing'

/**
 * An alarm that rings by this share of a lease too late says that this process stood still, and heard of nobody. A lease has two heartbeats
 * to spare: a shorter halt ends none that lives.
 */
const stallShare = 1 / 6
/** Leases for which an instance is kept that used to report here long before the store went away. */
const patienceInLeases = 10

/** How much later than its end a lease may be noticed to be over: many ends, one look. */
const latenessMs = 250

/**
 * The instances that this gateway knows, each until its lease is over.
 *
 * Invariant: of one instance, a record of a smaller revision never replaces one of a larger, nor does one that is as old as its
 * departure bring it back.
 * Memory: `maxInstances` instances, and the departures of 20,000 more.
 */
export class LocalInstances implements InstanceDirectory {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #maxInstances: number
  readonly #byId = new Map<string, HeldInstance>()
  readonly #lists = new ReadyLists()
  readonly #departed: DepartedInstances
  readonly #listeners = new Set<HeldListener>()
  /** Monotonic; undefined while the store can be used. */
  #awaySinceMs: number | undefined
  /** Longest lease that was given so far. */
  #termMs = 0
  #alarm: Disposable | undefined
  #alarmAtMs = Number.POSITIVE_INFINITY

  constructor({ clock, log, maxInstances = 20_000 }: LocalInstancesDeps) {
    this.#clock = clock
    this.#log = log
    this.#maxInstances = maxInstances
    this.#departed = new DepartedInstances(clock)
  }

  ready(functionKey: string): readonly HeldInstance[] {
    return this.#lists.ready(functionKey)
  }

  all(functionKey?: string): Iterable<HeldInstance> {
    return functionKey === undefined ? this.#byId.values() : this.#lists.all(functionKey)
  }

  get(id: string): HeldInstance | undefined {
    return this.#byId.get(id)
  }

  subscribe(listener: HeldListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /**
   * Takes a report over. One that repeats what is known prolongs the lease, unless it is not newer than the last one.
   *
   * @throws GatewayError `request_invalid` for a record that a newer one has overtaken, `overloaded` when there are too many instances
   */
  take(report: InstanceReport, { ttlMs, basis }: Prolongation): Taken {
    const { id, revision } = report.record
    const known = this.#byId.get(id)
    if (known === undefined ? this.#departed.refuses(report, basis) : revision < known.record.revision) {
      throw outdated(`instance "${id}" has said something newer, or has left`)
    }
    if (known?.record.revision === revision) {
      if (report.sentAtMs <= known.sentAtMs) return 'nothing'
      known.sentAtMs = report.sentAtMs
      this.prolong(known, { ttlMs, basis }, report.load)
      return 'prolonged'
    }
    if (known === undefined && this.#byId.size >= this.#maxInstances) {
      throw new GatewayError('overloaded', `this gateway knows ${this.#maxInstances} instances already`)
    }
    const instance = new HeldInstance(report, { untilMs: Number.NEGATIVE_INFINITY, basis })
    if (known !== undefined) instance.reportedAtMs = known.reportedAtMs
    this.#replace(known, instance)
    this.prolong(instance, { ttlMs, basis })
    this.#tell(instance, 'taken')
    return 'news'
  }

  /** Takes note that an instance lives, and of its load. */
  prolong(instance: HeldInstance, { ttlMs, basis }: Prolongation, load?: InstanceLoad): void {
    const nowMs = this.#clock.monotonicMs()
    const untilMs = Math.max(instance.lease.untilMs, nowMs + ttlMs)
    instance.lease = { untilMs, basis }
    if (basis === 'report') instance.reportedAtMs = nowMs
    this.#termMs = Math.max(this.#termMs, ttlMs)
    if (load !== undefined) instance.load = load
    this.#lookAt(untilMs)
  }

  /**
   * While the store is away, leases that others prolong do not end: nobody could say that they go on. Those of instances that reported
   * here as well do: soon, if they still did when the store went away.
   */
  storeAway(): void {
    this.#awaySinceMs ??= this.#clock.monotonicMs()
  }

  /** @param graceMs for how long such leases go on at least, so that others find the time to prolong them */
  storeBack(graceMs: number): void {
    if (this.#awaySinceMs === undefined) return
    this.#awaySinceMs = undefined
    for (const instance of this.#byId.values()) {
      if (instance.lease.basis === 'store') this.prolong(instance, { ttlMs: graceMs, basis: 'store' })
    }
  }

  /** Ends the timer; nothing expires from here on. */
  close(): void {
    this.#alarm?.[Symbol.dispose]()
    this.#alarmAtMs = Number.NEGATIVE_INFINITY
  }

  #replace(known: HeldInstance | undefined, instance: HeldInstance): void {
    if (known !== undefined) this.#lists.remove(known)
    this.#byId.set(instance.record.id, instance)
    this.#lists.add(instance)
  }

  /** Sees to it that the leases are looked at soon after `untilMs`. */
  #lookAt(untilMs: number): void {
    if (untilMs + latenessMs >= this.#alarmAtMs) return
    this.#alarm?.[Symbol.dispose]()
    this.#alarmAtMs = untilMs + latenessMs
    this.#alarm = this.#clock.after(Math.max(0, this.#alarmAtMs - this.#clock.monotonicMs()), () => this.#expire())
  }

  #expire(): void {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#alarmAtMs > stallShare * this.#termMs) this.#extendAll(nowMs + this.#termMs)
    this.#alarmAtMs = Number.POSITIVE_INFINITY
    let nextMs = Number.POSITIVE_INFINITY
    for (const instance of this.#byId.values()) {
      const endMs = this.#endOf(instance)
      if (endMs <= nowMs) this.#remove(instance)
      else nextMs = Math.min(nextMs, endMs)
    }
    if (nextMs < Number.POSITIVE_INFINITY) this.#lookAt(nextMs)
  }

  /** After a standstill: what was said meanwhile is still to be heard. Nobody who stays silent is kept twice for that. */
  #extendAll(untilMs: number): void {
    for (const instance of this.#byId.values()) {
      const { lease } = instance
      if (lease.isExtended !== true && lease.untilMs < untilMs) instance.lease = { ...lease, untilMs, isExtended: true }
    }
  }

  #endOf({ lease, reportedAtMs }: HeldInstance): number {
    const awaySinceMs = this.#awaySinceMs
    if (awaySinceMs === undefined || lease.basis === 'report') return lease.untilMs
    if (reportedAtMs === Number.NEGATIVE_INFINITY) return Number.POSITIVE_INFINITY
    const isOfLate = reportedAtMs + this.#termMs > awaySinceMs
    const endMs = isOfLate ? reportedAtMs + this.#termMs : awaySinceMs + patienceInLeases * this.#termMs
    return Math.max(lease.untilMs, endMs)
  }

  #remove(instance: HeldInstance): void {
    this.#byId.delete(instance.record.id)
    this.#lists.remove(instance)
    this.#departed.note(instance.report)
    this.#tell(instance, 'gone')
  }

  #tell(instance: HeldInstance, change: 'taken' | 'gone'): void {
    for (const listener of this.#listeners) {
      try {
        listener(instance, change)
      } catch (error) {
        // A fault of one listener must not keep the others, nor whoever reported the instance.
        this.#log.error('a listener for instances failed', { err: error })
      }
    }
  }
}
