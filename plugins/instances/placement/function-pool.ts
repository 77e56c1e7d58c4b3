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
  /** Undefined until somebody asks after a change: many records may change at a time. */
  #ready: readonly Candidate[] | undefined

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
    this.#ready ??= [...this.#candidates.values()].filter(({ instance }) => instance.record.phase === 'ready')
    return this.#ready
  }

  /** Whether any instance may take calls, if not now, then later: one is ready, or not yet, or for a while not. */
  get isStaying(): boolean {
    for (const { instance } of this.#candidates.values()) if (instance.record.phase !== 'leaving') return true
    return false
  }

  /** One by the id of its instance. */
  get(id: string): Candidate | undefined {
    return this.#candidates.get(id)
  }

  /** Takes over a new instance, or a new record of a known one. */
  take(instance: KnownInstance): void {
    const { id } = instance.record
    const known = this.#candidates.get(id)
    if (known === undefined) this.#candidates.set(id, new Candidate(this.#deps, instance, this.#left))
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
    const { ready } = this
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
    return this.ready.some(({ limit, health }) => limit > 0 && health.admits)
  }

  /** Whether another instance than this one takes calls. */
  hasOther(candidate: Candidate): boolean {
    return this.ready.some((one) => one !== candidate && one.health.admits)
  }

  /** An instance has said, or shown, that it takes no calls. @param generation in which the call began that shows it */
  eject(candidate: Candidate, cause: EjectionCause, generation = candidate.health.generation): void {
    if (candidate.health.eject(generation)) this.#ejected(candidate, cause)
  }

  /** A call to an instance was cut or ran out of time. */
  failed(candidate: Candidate, generation: number): void {
    if (candidate.health.failed(generation, this.#isSparing)) this.#ejected(candidate, 'failed')
  }

  /** A call to an instance was answered. */
  succeeded(candidate: Candidate, generation: number): void {
    if (candidate.health.succeeded(generation)) this.queue.react()
  }

  /** A call to an instance has ended, and proved nothing. */
  ended(candidate: Candidate, generation: number): void {
    if (candidate.health.end(generation)) this.queue.react()
  }

  /** Failures may have a cause that all instances share: they take no more than a third of them out. */
  get #isSparing(): boolean {
    const { ready } = this
    const most = ready.length < 2 ? 0 : Math.max(1, Math.floor(ready.length / 3))
    let ejected = 0
    for (const { health } of ready) if (health.isEjected) ejected += 1
    return ejected >= most
  }

  readonly #left = (candidate: Candidate): void => {
    if (this.queue.size > 0) this.queue.mayHaveRoom(candidate)
  }

  #ejected(candidate: Candidate, cause: EjectionCause): void {
    this.#deps.onEjected(candidate, cause)
    this.queue.react()
  }

  #changed(): void {
    this.#ready = undefined
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
