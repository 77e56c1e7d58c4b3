import { gatewayEntry, hostOf } from '../coordination/gateway-entries.ts'
import type { EntryChange, StoredEntry } from '../coordination/coordination-store.ts'
import type { ReadinessAnnouncer } from '../coordination/readiness-announcer.ts'
import type { EntriesMember, KeyedEntry, SharedEntries } from '../coordination/shared-entries.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import { Acknowledgements, type Acknowledged } from './acknowledgements.ts'
import { isLoopback } from './address-rules.ts'
import type { HeldInstance } from './held-instance.ts'
import { gatewayTtlMs, Heartbeats } from './heartbeats.ts'
import type { InstanceReceipt, InstanceRegistry } from './instance-directory.ts'
import type { SharingMetrics } from './sharing-metrics.ts'
import type { InstanceReport } from './instance-record.ts'
import { LiveGateways } from './live-gateways.ts'
import type { LocalInstances } from './local-instances.ts'
import { ReadyAnnouncements } from './ready-announcements.ts'
import { SharedIntake } from './shared-intake.ts'
import { instanceEntry, type SharedRecordRules } from './shared-records.ts'
import { signReport } from './signed-report.ts'

/** What the instances of a fleet work with. */
export interface FleetInstancesDeps {
  readonly local: LocalInstances
  readonly replicas: ReplicaDirectory
  readonly entries: SharedEntries
  readonly announcer: ReadinessAnnouncer
  readonly clock: Clock
  readonly log: Logger
  readonly metrics: SharingMetrics
  readonly settings: FleetInstancesSettings
  /** Whether the provider has a function. May reject. */
  readonly exists: (instance: HeldInstance) => Promise<boolean>
}

/** What may differ from fleet to fleet. */
export interface FleetInstancesSettings extends SharedRecordRules {
  /** Milliseconds until an instance is forgotten that falls silent. */
  readonly ttlMs: number
}

/** Topic on which gateways tell each other which leaving instance they have taken out: its id. */
const leftTopic = 'instance_left'

/**
 * Reports that any gateway of a fleet was given, known to all of them: each puts what is news into the store, signed, for the others to
 * verify, and renews there what repeats itself. While the store cannot be used, each knows what it was told before, and is told itself.
 */
export class FleetInstances implements InstanceRegistry, EntriesMember, AsyncDisposable {
  /** What all this amounts to here. */
  readonly directory: LocalInstances
  readonly #deps: FleetInstancesDeps
  readonly #others: LiveGateways
  readonly #acknowledgements: Acknowledgements
  readonly #heartbeats: Heartbeats
  readonly #announcements: ReadyAnnouncements
  readonly #intake: SharedIntake
  readonly #attached: Disposable
  #isClosed = false

  constructor(deps: FleetInstancesDeps) {
    const { local, clock, entries, settings } = deps
    this.directory = local
    this.#deps = deps
    this.#others = new LiveGateways(clock)
    this.#acknowledgements = new Acknowledgements(clock, this.#others)
    this.#heartbeats = new Heartbeats({ ...deps, ttlMs: settings.ttlMs, put: (instance) => this.#put(instance) })
    this.#announcements = new ReadyAnnouncements(deps)
    this.#intake = new SharedIntake({
      ...deps,
      origin: entries.origin,
      others: this.#others,
      onTold: (id) => this.#heartbeats.remove(id),
      onLeaving: (instance) => this.#tellLeft(instance),
      onJoined: () => this.#tellAllLeft(),
      onUnknown: () => void entries.readAgain(),
    })
    this.#heartbeats.start()
    this.#attached = entries.attach(this)
  }

  async take(report: InstanceReport): Promise<InstanceReceipt> {
    const { local, settings } = this.#deps
    const { id, phase } = report.record
    const taken = local.take(report, { ttlMs: settings.ttlMs, basis: 'report' })
    const isNews = taken === 'news'
    const instance = local.get(id)
    const isLeaving = phase === 'leaving'
    if (isLeaving && isNews && instance !== undefined && this.#others.now().length > 0) this.#tellLeft(instance)
    if (taken === 'prolonged') this.#heartbeats.add(id)
    if (isNews && instance !== undefined) await this.#put(instance)
    if (instance !== undefined) this.#announcements.reported(instance)
    if (!isLeaving) return { ttlMs: settings.ttlMs, acknowledged: 0, silent: 0 }
    return { ttlMs: settings.ttlMs, ...(await this.#acknowledged(report, isNews)) }
  }

  hear(change: EntryChange): void {
    if (change.kind === 'told') this.#hearTold(change)
    else this.#intake.hear(change)
    if (change.kind === 'entry_gone') this.#acknowledgements.lookAgain()
  }

  async catchUp(stored: readonly StoredEntry[]): Promise<readonly KeyedEntry[]> {
    const ranks = await this.#intake.catchUp(stored)
    const { local, entries, clock } = this.#deps
    const own = { key: gatewayEntry(entries.origin), body: '', rank: 0, ttlMs: gatewayTtlMs }
    const reported = [...local.all()].filter(({ lease }) => lease.basis === 'report')
    const lacking = reported.filter(
      ({ record }) => (ranks.get(instanceEntry(record, entries.origin)) ?? -1) < record.revision,
    )
    for (const instance of lacking) instance.sharedAtMs = clock.monotonicMs()
    return [own, ...lacking.map((instance) => this.#entryOf(instance))]
  }

  turned(isAlone: boolean): void {
    const { local, settings } = this.#deps
    if (isAlone) this.#others.storeAway()
    else this.#others.storeBack(gatewayTtlMs)
    this.#acknowledgements.lookAgain()
    if (isAlone) return local.storeAway()
    local.storeBack(settings.ttlMs)
    this.#tellAllLeft()
    // What was reported while the others were told what they had missed.
    for (const instance of local.all()) if (isUnshared(instance)) void this.#put(instance)
  }

  /** Says that this gateway is gone, so that nobody waits for it. Instances stay with those to whom they report as well. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#isClosed) return
    this.#isClosed = true
    const { local, entries } = this.#deps
    this.#heartbeats[Symbol.dispose]()
    this.#attached[Symbol.dispose]()
    local.close()
    await entries.remove(gatewayEntry(entries.origin))
  }

  /** What was not shared is, when the store is back. */
  async #put(instance: HeldInstance): Promise<void> {
    const { entries, clock } = this.#deps
    const { key, ...entry } = this.#entryOf(instance)
    if (await entries.put(key, entry)) instance.sharedAtMs = clock.monotonicMs()
  }

  #entryOf({ record, report }: HeldInstance): KeyedEntry {
    const { entries, settings } = this.#deps
    const { key, ttlMs } = settings
    return { key: instanceEntry(record, entries.origin), body: signReport(report, key), rank: record.revision, ttlMs }
  }

  #tellLeft({ record }: HeldInstance): void {
    void this.#deps.entries.tell(leftTopic, record.id)
  }

  /** For who has come, or has missed it. */
  #tellAllLeft(): void {
    for (const instance of this.directory.all()) if (instance.record.phase === 'leaving') this.#tellLeft(instance)
  }

  #hearTold({ topic, origin, text }: Extract<EntryChange, { kind: 'told' }>): void {
    // Of others nobody waits to hear; and whatever is told must not cost memory.
    if (topic === leftTopic && this.directory.get(text) !== undefined) this.#acknowledgements.note(text, origin)
  }

  async #acknowledged({ record }: InstanceReport, isNews: boolean): Promise<Acknowledged> {
    const { clock, entries, metrics } = this.#deps
    const startMs = clock.monotonicMs()
    const isInVain = (): boolean => entries.isAlone || this.#isClosed
    const isOfOneHost = isLoopback(record.address)
    const concerns = (origin: string): boolean => !isOfOneHost || hostOf(origin) === hostOf(entries.origin)
    const answers = await this.#acknowledgements.settled(record.id, { isInVain, concerns })
    if (isNews) metrics.left(answers, (clock.monotonicMs() - startMs) / 1000)
    return answers
  }
}

function isUnshared({ lease, sharedAtMs }: HeldInstance): boolean {
  return lease.basis === 'report' && sharedAtMs === Number.NEGATIVE_INFINITY
}
