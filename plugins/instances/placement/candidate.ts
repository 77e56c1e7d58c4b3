import {
  gatewayHeader,
  instanceHeader,
  slotHeader,
  type Clock,
  type KnownInstance,
  type Random,
  type Upstream,
} from '#core'
import { Health } from './health.ts'

/** What candidates are made with. */
export interface CandidateDeps {
  readonly clock: Clock
  readonly random: Random
  /** By which sidecars tell this gateway from others. */
  readonly gatewayId: string
}

/** One instance, as this gateway places calls on it. */
export class Candidate {
  readonly health: Health
  /** Calls of this gateway that it works on. */
  inFlight = 0
  /** One of these calls has ended. */
  readonly leave = (): void => {
    this.inFlight -= 1
    this.#onLeft(this)
  }
  readonly #onLeft: (candidate: Candidate) => void
  readonly #gatewayId: string
  #instance: KnownInstance
  #upstream: Upstream

  /** @param onLeft told when one of its calls has ended */
  constructor(deps: CandidateDeps, instance: KnownInstance, onLeft: (candidate: Candidate) => void) {
    this.#onLeft = onLeft
    this.#gatewayId = deps.gatewayId
    this.health = new Health(deps)
    this.#instance = instance
    this.#upstream = this.#upstreamFor(instance)
  }

  get instance(): KnownInstance {
    return this.#instance
  }

  /** Most calls at a time; 0 is no limit. */
  get limit(): number {
    return this.#instance.record.limit
  }

  /** Whether calls of this gateway alone leave room for another one; other gateways have calls there, too. */
  get hasRoom(): boolean {
    const { limit } = this.#instance.record
    return limit === 0 || this.inFlight < limit
  }

  /** A call goes there. @returns the generation in which it begins */
  enter(): number {
    this.inFlight += 1
    return this.health.begin()
  }

  /** Takes over what the instance says of itself. A new record forgives what was held against the instance. */
  update(instance: KnownInstance): void {
    if (instance.record.revision > this.#instance.record.revision) this.health.reset()
    if (instance.origin !== this.#instance.origin) this.#upstream = this.#upstreamFor(instance)
    this.#instance = instance
  }

  /** The upstream of a call. @param slot that was given for it */
  upstream(slot: string | undefined): Upstream {
    if (slot === undefined) return this.#upstream
    return { ...this.#upstream, headers: [...this.#headers(), slotHeader, slot] }
  }

  #upstreamFor({ origin }: KnownInstance): Upstream {
    return { origin, basePath: '', kind: 'instance', headers: this.#headers() }
  }

  #headers(): readonly string[] {
    return [gatewayHeader, this.#gatewayId, instanceHeader, this.#instance.record.id]
  }
}
