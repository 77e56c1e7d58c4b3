import { signOwnReport, type Clock, type InstancePhase, type InstanceRecord } from '#core/lean'
import type { InstanceView } from './membership.ts'

/** What an announcement is made from. */
export interface AnnouncementDeps {
  readonly clock: Clock
  /** Of this instance; signs every report. */
  readonly secret: string
  readonly facts: Omit<InstanceRecord, 'phase' | 'revision'>
  readonly view: () => InstanceView
}

/** How far ahead of its own a gateway lets the clock of a sidecar be. */
const believedAheadMs = 60_000

/**
 * Writes the reports of this instance.
 *
 * Invariant: of two reports with different records the later one has the larger revision; revisions are microseconds of the Unix epoch, or
 * one more than the last, so that those of an instance that starts again under the same id go on growing.
 */
export class Announcement {
  readonly #deps: AnnouncementDeps
  #phase: InstancePhase | undefined
  #revision = 0
  #sentAtMs = 0
  #isLeaving = false

  constructor(deps: AnnouncementDeps) {
    this.#deps = deps
  }

  /** Of the record as it is now: another one than before when the phase is another. */
  revision(): number {
    return this.#stamp().revision
  }

  /** From now on the phase is `leaving`, whatever the view says. */
  leave(): void {
    this.#isLeaving = true
  }

  /** A signed report of what is true now. */
  text(): string {
    const { secret, facts, view } = this.#deps
    const record = { ...facts, ...this.#stamp() }
    return signOwnReport({ record, load: view().load, sentAtMs: this.#sendingAtMs() }, secret)
  }

  /**
   * Later than the last report even when the clock was set back: gateways take an instance for silent that repeats itself. A clock that
   * was further ahead than gateways believe anybody has told them nothing that would have to be exceeded.
   */
  #sendingAtMs(): number {
    const nowMs = Math.floor(this.#deps.clock.nowMs())
    this.#sentAtMs = this.#sentAtMs - nowMs > believedAheadMs ? nowMs : Math.max(this.#sentAtMs + 1, nowMs)
    return this.#sentAtMs
  }

  #stamp(): { phase: InstancePhase; revision: number } {
    const phase = this.#isLeaving ? 'leaving' : this.#deps.view().phase
    if (phase !== this.#phase) {
      this.#phase = phase
      this.#revision = Math.max(this.#revision + 1, Math.floor(this.#deps.clock.nowMs() * 1000))
    }
    return { phase, revision: this.#revision }
  }
}
