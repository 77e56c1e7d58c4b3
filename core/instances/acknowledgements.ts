import { LRUCache } from 'lru-cache'
import type { Clock } from '../time/clock.ts'
import type { LiveGateways } from './live-gateways.ts'

/** Longest wait, from when this gateway was first told by the sidecar that the instance leaves. Milliseconds. */
const patienceMs = 1_000
/** Instances that leave of which is known who has taken them out; of the others the oldest are forgotten. */
const maxLeaving = 5_000
/** Who has taken one instance out is remembered of so many gateways. */
const maxOrigins = 1_000

/** Gateways by whether they have said that they have taken an instance out. */
export interface Acknowledged {
  readonly acknowledged: number
  readonly silent: number
}

/** What a wait depends on. */
interface Wait {
  readonly isInVain: () => boolean
  readonly concerns: (origin: string) => boolean
}

interface Leave {
  /** When the first wait has to end, and all others; undefined before it. */
  endsAtMs: number | undefined
  readonly by: Set<string>
  /** Ends waits. */
  readonly waiting: Set<() => void>
}

/** Which gateways have taken an instance out that leaves. */
export class Acknowledgements {
  readonly #clock: Clock
  readonly #others: LiveGateways
  readonly #leaves = new LRUCache<string, Leave>({ max: maxLeaving })

  constructor(clock: Clock, others: LiveGateways) {
    this.#clock = clock
    this.#others = others
  }

  /** A gateway has taken it out: perhaps before this gateway has heard that it leaves. */
  note(id: string, origin: string): void {
    const { by, waiting } = this.#of(id)
    if (by.size < maxOrigins) by.add(origin)
    for (const look of waiting) look()
  }

  /** Has all that wait look again who is still there, or whether waiting makes sense. */
  lookAgain(): void {
    for (const { waiting } of this.#leaves.values()) for (const look of waiting) look()
  }

  /**
   * Resolves when all others have taken an instance out that are there, or when the time for it is over.
   * @param isInVain whether nobody can say so any more
   * @param concerns which of the others know of the instance at all
   */
  async settled(id: string, { isInVain, concerns }: Wait): Promise<Acknowledged> {
    const leave = this.#of(id)
    const { by, waiting } = leave
    const nowMs = this.#clock.monotonicMs()
    leave.endsAtMs ??= nowMs + patienceMs
    const remainingMs = leave.endsAtMs - nowMs
    const isOver = (): boolean =>
      isInVain() ||
      this.#others
        .now()
        .filter(concerns)
        .every((origin) => by.has(origin))
    if (remainingMs > 0 && !isOver()) {
      const { promise, resolve } = Promise.withResolvers<void>()
      const look = (): void => void (isOver() && resolve())
      const alarm = this.#clock.after(remainingMs, resolve)
      waiting.add(look)
      await promise
      waiting.delete(look)
      alarm[Symbol.dispose]()
    }
    const others = this.#others.now().filter(concerns)
    const acknowledged = others.filter((origin) => by.has(origin)).length
    return { acknowledged, silent: others.length - acknowledged }
  }

  #of(id: string): Leave {
    const known = this.#leaves.get(id)
    if (known !== undefined) return known
    const leave: Leave = { endsAtMs: undefined, by: new Set(), waiting: new Set() }
    this.#leaves.set(id, leave)
    return leave
  }
}
