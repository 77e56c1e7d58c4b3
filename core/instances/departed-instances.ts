import type { Clock } from '../time/clock.ts'
import type { LeaseBasis } from './held-instance.ts'
import type { InstanceReport } from './instance-record.ts'

/** Longer than a signed record counts that comes through the store; see shared-records.ts. */
const rememberedMs = 20 * 60_000
/** Instances that departed; those that did so first are forgotten early. */
const maxRemembered = 20_000

interface Departure {
  readonly revision: number
  readonly sentAtMs: number
  /** Whether it said so; if not, it only fell silent, and may speak again. */
  readonly hasLeft: boolean
  readonly untilMs: number
}

/** Remembers what instances said last that are gone, so that nobody brings them back with an older report of theirs. */
export class DepartedInstances {
  readonly #clock: Clock
  readonly #departures = new Map<string, Departure>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#departures.size
  }

  note({ record: { id, revision, phase }, sentAtMs }: InstanceReport): void {
    this.#departures.delete(id)
    this.#departures.set(id, {
      revision,
      sentAtMs,
      hasLeft: phase === 'leaving',
      untilMs: this.#clock.monotonicMs() + rememberedMs,
    })
    this.#forgetOldest()
  }

  /**
   * Whether a report says nothing that was not known before its instance departed. One from the store may say the same as the last that
   * was heard here, if the instance did not leave: that it stands there is the news.
   */
  refuses({ record: { id, revision }, sentAtMs }: InstanceReport, basis: LeaseBasis): boolean {
    const departure = this.#departures.get(id)
    if (departure === undefined || departure.untilMs <= this.#clock.monotonicMs()) return false
    if (revision !== departure.revision) return revision < departure.revision
    return departure.hasLeft || (basis === 'report' && sentAtMs <= departure.sentAtMs)
  }

  #forgetOldest(): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [id, { untilMs }] of this.#departures) {
      if (untilMs > nowMs && this.#departures.size <= maxRemembered) return
      this.#departures.delete(id)
    }
  }
}
