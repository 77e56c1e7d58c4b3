import type { LeaseAnswer, LeaseRequest, StateWrite, WriteAnswer } from '../../core/coordination/coordination-store.ts'
import type { Asker, RecordSurroundings } from '../../core/coordination/local-store/local-records.ts'
import { StoreRecords } from '../support/simulated-store-records.ts'

/** A lease that was given out. */
export interface Grant {
  readonly key: string
  readonly origin: string
  readonly fence: number
  readonly atMs: number
  readonly tookOver: boolean
  /** Whether somebody else held an unexpired lease. */
  readonly wasHeld: boolean
  /** Counts the times that the server lost everything. */
  readonly life: number
}

/** A state that was written under a fence. */
export interface FencedWrite {
  readonly key: string
  readonly fence: number
  /** The largest fence given out or written before, as far as this server remembers. */
  readonly newest: number
}

/** Records that remember what was decided by them. */
export class WatchedRecords extends StoreRecords {
  readonly grants: Grant[] = []
  readonly fencedWrites: FencedWrite[] = []
  readonly #nowMs: () => number
  readonly #nowUs: () => number
  #life = 1

  constructor(around: RecordSurroundings, nowMs: () => number) {
    super(around)
    this.#nowUs = around.nowUs
    this.#nowMs = nowMs
  }

  override acquire(asker: Asker, request: LeaseRequest): LeaseAnswer {
    const { holder, until } = this.at(asker.key)
    const answer = super.acquire(asker, request)
    if (answer.role === 'leader') {
      const { fence, tookOver } = answer
      const wasHeld = holder !== '' && holder !== asker.origin && until > this.#nowUs()
      this.grants.push({ ...asker, fence, tookOver, wasHeld, atMs: this.#nowMs(), life: this.#life })
    }
    return answer
  }

  override write(asker: Asker, state: StateWrite): WriteAnswer {
    const newest = this.at(asker.key).fence
    const answer = super.write(asker, state)
    if (answer.written && state.condition === 'fence') {
      this.fencedWrites.push({ key: asker.key, fence: state.value, newest })
    }
    return answer
  }

  override clear(): void {
    super.clear()
    this.#life += 1
  }
}
