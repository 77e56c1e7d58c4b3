import type { KnownInstance, Random } from '#core'
import type { SlotQueue } from '../slots/slot-queue.ts'
import { Candidate, type CandidateDeps } from './candidate.ts'

/** Why an instance was ejected. */
export type EjectionCause = 'refused' | 'failed' | 'draining' | 'not_ready' | 'mistaken'

/** What a pool works with. */
export interface FunctionPoolDeps extends CandidateDeps {
  readonly onEjected: (candidate: Candidate, cause: EjectionCause) => void
  readonly createQueue: (pool: FunctionPool) => SlotQueue
}

/** The instances of one function, and the calls that wait for one of them. */
export class FunctionPool {
  readonly functionKey: string
  readonly queue: SlotQueue
  readonly #deps: FunctionPoolDeps
  readonly #random: Random
  readonly #candidates = new Map<string, Candidate>()
  #ready: readonly Candidate[] = []

  constructor(deps: FunctionPoolDeps, functionKey: string) {
    this.functionKey = functionKey
    this.#deps = deps
    this.#random = deps.random
    this.queue = deps.createQueue(this)
  }

  get size(): number {
    return this.#candidates.size
  }

  /** Those that say that they take calls, ejected ones included. */
  get ready(): readonly Candidate[] {
    return this.#ready
  }

  /** One by the id of its instance. */
  get(id: string): Candidate | undefined {
    return this.#candidates.get(id)
  }

  /** Takes over a new instance, or a new record of a known one. */
  take(instance: KnownInstance): void {
    const { id } = instance.record
    const known = this.#candidates.get(id)
    if (known === undefined) this.#candidates.set(id, new Candidate(this.#deps, instance))
    else known.update(instance)
    this.#changed()
  }

  /** Forgets an instance. Calls under way go on. */
  drop(id: string): void {
    if (this.#candidates.delete(id)) this.#changed()
  }

  /**
   * Chooses an instance that has room: of two at random the one with fewer calls of this gateway; where neither will do, any that
   * does. Undefined when there is none.
   *
   * @param passedOver candidates that are not to be chosen
   * @see Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing" (2001)
   */
  choose(passedOver: readonly Candidate[]): Candidate | undefined {
    const ready = this.#ready
    const count = ready.length
    if (count < 2) return ready[0] !== undefined && isOpen(ready[0], passedOver) ? ready[0] : undefined
    const at = Math.floor(this.#random() * count)
    const other = (at + 1 + Math.floor(this.#random() * (count - 1))) % count
    const [one, two] = [ready[at], ready[other]]
    const isOneOpen = one !== undefined && isOpen(one, passedOver)
    if (two === undefined || !isOpen(two, passedOver)) return isOneOpen ? one : leastBusy(ready, passedOver)
    return isOneOpen && one.inFlight <= two.inFlight ? one : two
  }

  /** Whether waiting for a slot could help. */
  get isLimited(): boolean {
    return this.#ready.some(({ limit, health }) => limit > 0 && health.admits)
  }

  /** An instance has said, or shown, that it takes no calls. */
  eject(candidate: Candidate, cause: EjectionCause): void {
    if (candidate.health.eject()) this.#ejected(candidate, cause)
  }

  /** A call to an instance was cut or ran out of time. */
  failed(candidate: Candidate): void {
    const isLast = !this.#ready.some((one) => one !== candidate && !one.health.isEjected)
    if (candidate.health.failed(isLast)) this.#ejected(candidate, 'failed')
  }

  #ejected(candidate: Candidate, cause: EjectionCause): void {
    this.#deps.onEjected(candidate, cause)
    this.queue.react()
  }

  #changed(): void {
    this.#ready = [...this.#candidates.values()].filter(({ instance }) => instance.record.phase === 'ready')
    this.queue.react()
  }
}

function isOpen(candidate: Candidate, passedOver: readonly Candidate[]): boolean {
  return candidate.hasRoom && candidate.health.admits && !passedOver.includes(candidate)
}

function leastBusy(ready: readonly Candidate[], passedOver: readonly Candidate[]): Candidate | undefined {
  let least: Candidate | undefined
  for (const one of ready) {
    if (isOpen(one, passedOver) && (least === undefined || one.inFlight < least.inFlight)) least = one
  }
  return least
}
