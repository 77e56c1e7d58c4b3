import { signReport, type Clock, type InstancePhase, type InstanceRecord } from '#core/lean'
import type { InstanceView } from './membership.ts'

/** What an announcement is made from. */
export interface AnnouncementDeps {
  readonly clock: Clock
  readonly key: string
  readonly facts: Omit<InstanceRecord, 'phase' | 'revision'>
  readonly view: () => InstanceView
}

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
    const { clock, key, facts, view } = this.#deps
    const record = { ...facts, ...this.#stamp() }
    return signReport({ record, load: view().load, sentAtMs: Math.floor(clock.nowMs()) }, key)
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
