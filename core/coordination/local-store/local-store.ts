import type { Logger } from '../../telemetry/logger.ts'
import type { Clock } from '../../time/clock.ts'
import type { CoordinationStore, StoreChange } from '../coordination-store.ts'
import { LocalMember } from './local-member.ts'
import { LocalRecords } from './local-records.ts'

/** Told of every change. */
export type ChangeListener = (change: StoreChange) => void

/**
 * What the processes of one gateway share, in the memory of one of them. Lives as long as that process: nothing need be closed.
 *
 * Its time begins with the wall clock and does not follow it: setting the clock ends no lease, and prolongs none.
 */
export class LocalStore {
  readonly #log: Logger
  readonly #records: LocalRecords
  readonly #listeners = new Set<ChangeListener>()
  readonly #unpublished: StoreChange[] = []
  #isPublishing = false

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#log = log
    const originMs = clock.nowMs() - clock.monotonicMs()
    this.#records = new LocalRecords({
      nowUs: () => Math.floor((originMs + clock.monotonicMs()) * 1000),
      publish: (change) => this.#publish(change),
    })
  }

  /**
   * Makes the store of one member; it takes part from `open` on, and gives up its leases and roles when it is disposed.
   * @param origin unique among all members there ever are
   */
  member(origin: string): CoordinationStore {
    return new LocalMember({ origin, records: this.#records, listeners: this.#listeners })
  }

  /** Tells all listeners of one change before any of the next, which a listener may bring about. */
  #publish(change: StoreChange): void {
    this.#unpublished.push(change)
    if (this.#isPublishing) return
    this.#isPublishing = true
    for (let next = this.#unpublished.shift(); next !== undefined; next = this.#unpublished.shift()) this.#tell(next)
    this.#isPublishing = false
  }

  /** What a listener throws must not end the call of another member. */
  #tell(change: StoreChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change)
      } catch (error) {
        this.#log.error('a listener for changes of functions failed', { err: error })
      }
    }
  }
}
