import {
  GatewayError,
  headerValue,
  mayRepeat,
  neverReached,
  refusalHeader,
  wasCut,
  type Clock,
  type Exchange,
  type Handler,
  type Refusal,
  type Reply,
} from '#core'
import type { InstanceMetrics } from '../instance-metrics.ts'
import { busy, clientLeft, cutShort } from '../refusals.ts'
import type { SlotsClient } from '../slots/slots-client.ts'
import type { Candidate } from './candidate.ts'
import type { FunctionPool } from './function-pool.ts'

/** What a call is placed with. */
export interface PlacedCallDeps {
  readonly slots: SlotsClient
  readonly metrics: InstanceMetrics
  readonly clock: Clock
  /** Bodies up to this length can be sent again. */
  readonly replayBodyBytes: number
}

/** Instances that a call tries without a slot before it waits for one. */
const maxRefusals = 2
/** Instances that a call may be cut at: what it does to one, it may do to all. */
const maxCuts = 2
/** Most attempts of one call, whatever happens to them. */
const maxAttempts = 8
/** Instances that a call waits for in vain to accept its connection. */
const maxUnreachable = 2
/** An attempt that took so long was not refused, but not accepted. */
const unreachableMs = 1_000

/**
 * Sends one call to an instance of its function, to another one when the first does not take it, and to the provider when none can
 * be reached. Nothing that an instance may have worked on is sent again unless its method allows that.
 */
export class PlacedCall {
  readonly #exchange: Exchange
  readonly #next: Handler
  readonly #pool: FunctionPool
  readonly #deps: PlacedCallDeps
  #passedOver: readonly Candidate[] = []
  #attempts = 0
  /** When the last of them began. */
  #attemptedMs = 0
  #refusals = 0
  #cuts = 0
  #unreachable = 0
  /** No further instance is tried. */
  #isGivenUp = false
  /** What the last attempt ended with, if it may have reached an instance. */
  #cut: unknown

  constructor(exchange: Exchange, next: Handler, placing: { pool: FunctionPool; deps: PlacedCallDeps }) {
    this.#exchange = exchange
    this.#next = next
    this.#pool = placing.pool
    this.#deps = placing.deps
  }

  /** @throws GatewayError what the last attempt ended with; those of `SlotQueue.wait` */
  async run(): Promise<Reply> {
    for (;;) {
      const candidate = this.#choose()
      if (candidate === undefined && !this.#mayWait) return this.#withoutInstance()
      const body = candidate?.limit === 0 ? undefined : this.#missingBody()
      if (body !== undefined) {
        await body
        continue
      }
      const reply = await (candidate === undefined ? this.#whenThereIsRoom() : this.#at(candidate))
      if (reply !== undefined) return reply
    }
  }

  /** New calls do not overtake those that wait, and one that was refused elsewhere does not ask them all. */
  #choose(): Candidate | undefined {
    if (this.#isGivenUp || this.#pool.queue.size > 0 || this.#refusals >= maxRefusals) return undefined
    return this.#pool.choose(this.#passedOver)
  }

  /** A call does not overtake those that wait for an instance to come back. */
  get #mayWait(): boolean {
    const { isLimited, queue, isStaying } = this.#pool
    return !this.#isGivenUp && (isLimited || (queue.size > 0 && isStaying))
  }

  /** What is left of a body to be kept: a client that takes its time with it must not have a slot, or a place in the line. */
  #missingBody(): Promise<Buffer> | undefined {
    const { body } = this.#exchange.request
    if (body.length === undefined || body.length === 0 || body.length > this.#deps.replayBodyBytes) return undefined
    const kept = body.open()
    return kept instanceof Promise ? kept : undefined
  }

  async #whenThereIsRoom(): Promise<Reply | undefined> {
    const way = await this.#pool.queue.wait(this.#exchange)
    if (way === 'provider') return this.#withoutInstance()
    return way === 'probe' ? this.#probe() : this.#attempt(way.candidate, way.slot)
  }

  /** Finds out for those that wait whether the provider has a way. */
  async #probe(): Promise<Reply> {
    let isGood = false
    try {
      const reply = await this.#withoutInstance()
      isGood = reply.status < 500 && reply.status !== 429
      return reply
    } finally {
      this.#pool.queue.probed(isGood)
    }
  }

  /** A body that could not be sent again is not sent before there is a slot for it. */
  #at(candidate: Candidate): Promise<Reply | undefined> {
    const { length } = this.#exchange.request.body
    const isRepeatable = length !== undefined && length <= this.#deps.replayBodyBytes
    if (candidate.limit === 0 || isRepeatable) return this.#attempt(candidate)
    return this.#withSlot(candidate)
  }

  async #withSlot(candidate: Candidate): Promise<Reply | undefined> {
    this.#passOver(candidate)
    this.#refusals += 1
    const slot = await this.#slotNow(candidate)
    return slot === undefined ? undefined : this.#attempt(candidate, slot)
  }

  async #slotNow(candidate: Candidate): Promise<string | undefined> {
    const { generation } = candidate.health
    try {
      const slots = await this.#deps.slots.ask(candidate.instance, { want: 1, waitMs: 0 }, this.#exchange.signal)
      if (slots !== 'leaving') return slots[0]
      this.#pool.eject(candidate, 'draining', generation)
    } catch (error) {
      if (this.#exchange.request.gone) throw clientLeft()
      if (neverReached(error)) this.#pool.eject(candidate, 'refused', generation)
      else this.#pool.failed(candidate, generation)
    }
    return undefined
  }

  /** @returns undefined when the call is to be sent again */
  async #attempt(candidate: Candidate, slot?: string): Promise<Reply | undefined> {
    if (this.#exchange.request.gone) {
      if (slot !== undefined) this.#deps.slots.giveBack(candidate.instance, slot)
      throw clientLeft()
    }
    this.#attempts += 1
    this.#attemptedMs = this.#deps.clock.monotonicMs()
    this.#deps.metrics.toInstances += 1
    const generation = candidate.enter()
    let reply: Reply
    try {
      reply = await this.#next(this.#exchange.placedOn(candidate.upstream(slot)))
    } catch (error) {
      candidate.leave()
      if (slot !== undefined && this.#wasNotSent(error)) this.#deps.slots.giveBack(candidate.instance, slot)
      this.#failed(candidate, error, generation)
      return undefined
    }
    const refusal = refusalOf(reply)
    if (refusal === undefined) {
      this.#pool.succeeded(candidate, generation)
      reply.onEnd(candidate.leave)
      return reply
    }
    reply.discard()
    candidate.leave()
    this.#refused(candidate, refusal, generation)
    return undefined
  }

  /** @throws the error, unless the call may be sent again */
  #failed(candidate: Candidate, error: unknown, generation: number): void {
    const isCut = wasCut(error)
    this.#judge(candidate, error, generation)
    if (isCut) this.#cuts += 1
    const isLast = isCut && (this.#attempts >= maxAttempts || this.#cuts >= maxCuts)
    if (isLast || !mayRepeat(this.#exchange.request, error)) throw error
    if (!isCut) this.#countUnreachable()
    this.#cut = isCut ? error : undefined
    // The only one is tried again, unless it is ejected: it may have closed the connection just as it was used again.
    if (!isCut || this.#pool.hasOther(candidate)) this.#passOver(candidate)
  }

  #judge(candidate: Candidate, error: unknown, generation: number): void {
    if (neverReached(error)) this.#pool.eject(candidate, 'refused', generation)
    else if (wasCut(error) || this.#isLate(error)) this.#pool.failed(candidate, generation)
    else this.#pool.ended(candidate, generation)
  }

  /** @throws GatewayError when the call cannot be sent again, or was refused too often */
  #refused(candidate: Candidate, refusal: string, generation: number): void {
    const { request, route } = this.#exchange
    this.#deps.metrics.refused(refusal)
    if (isOfInstance(refusal)) this.#pool.eject(candidate, refusal, generation)
    else this.#pool.succeeded(candidate, generation)
    if (request.gone) throw clientLeft()
    if (!request.body.replayable) throw cutShort(route.identity.key)
    if (this.#attempts >= maxAttempts) throw busy(route.identity.key, this.#attempts)
    this.#refusals += 1
    this.#cut = undefined
    this.#passOver(candidate)
  }

  /** Many may be away together, and each that is waited for costs the client its time. */
  #countUnreachable(): void {
    if (this.#deps.clock.monotonicMs() - this.#attemptedMs >= unreachableMs) this.#unreachable += 1
    this.#isGivenUp = this.#attempts >= maxAttempts || this.#unreachable >= maxUnreachable
  }

  /** Whether the instance was to blame: it had all of the request, and the time for it was not spent elsewhere. */
  #isLate(error: unknown): boolean {
    const isLate = error instanceof GatewayError && error.code === 'upstream_timeout'
    return isLate && this.#cuts === 0 && this.#exchange.request.body.hasArrived
  }

  /** Whether an instance certainly has not seen a call that failed. */
  #wasNotSent(error: unknown): boolean {
    const { body, gone } = this.#exchange.request
    return neverReached(error) || (gone && !body.hasArrived)
  }

  #passOver(candidate: Candidate): void {
    this.#passedOver = [...this.#passedOver, candidate]
  }

  /** The provider may know of instances that this gateway does not, or says that there are none. */
  #withoutInstance(): Promise<Reply> {
    if (this.#cut !== undefined) throw this.#cut
    this.#deps.metrics.toProvider += 1
    return this.#next(this.#exchange)
  }
}

/** Why a sidecar did not let a call in; undefined for an answer of the function, whatever its status. */
function refusalOf(reply: Reply): string | undefined {
  return reply.status === 503 ? headerValue(reply.headers, refusalHeader) : undefined
}

/** Whether the next call would be refused, too: a full instance may have room for that. */
function isOfInstance(refusal: string): refusal is Exclude<Refusal, 'full'> {
  return refusal === 'draining' || refusal === 'not_ready' || refusal === 'mistaken'
}
