import {
  GatewayError,
  headerValue,
  mayRepeat,
  neverReached,
  refusalHeader,
  wasCut,
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
  /** Bodies up to this length can be sent again. */
  readonly replayBodyBytes: number
}

/** Instances that a call tries without a slot before it waits for one. */
const maxRefusals = 2
/** Instances that a call may be cut at: what it does to one, it may do to all. */
const maxCuts = 2
/** Most attempts of one call, whatever happens to them. */
const maxAttempts = 8

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
  #refusals = 0
  #cuts = 0
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
      if (candidate === undefined && !this.#pool.isLimited) return this.#withoutInstance()
      const reply = await (candidate === undefined ? this.#whenThereIsRoom() : this.#at(candidate))
      if (reply !== undefined) return reply
    }
  }

  /** New calls do not overtake those that wait, and one that was refused elsewhere does not ask them all. */
  #choose(): Candidate | undefined {
    if (this.#pool.queue.size > 0 || this.#refusals >= maxRefusals) return undefined
    return this.#pool.choose(this.#passedOver)
  }

  async #whenThereIsRoom(): Promise<Reply | undefined> {
    const way = await this.#pool.queue.wait(this.#exchange)
    return way && this.#attempt(way.candidate, way.slot)
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
    try {
      const slots = await this.#deps.slots.ask(candidate.instance, { want: 1, waitMs: 0 }, this.#exchange.signal)
      if (slots !== 'leaving') return slots[0]
      this.#pool.eject(candidate, 'draining')
    } catch (error) {
      if (this.#exchange.request.gone) throw clientLeft()
      if (neverReached(error)) this.#pool.eject(candidate, 'refused')
      else this.#pool.failed(candidate)
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
    this.#deps.metrics.toInstances += 1
    candidate.enter()
    let reply: Reply
    try {
      reply = await this.#next(this.#exchange.placedOn(candidate.upstream(slot)))
    } catch (error) {
      candidate.leave()
      this.#failed(candidate, error)
      return undefined
    }
    const refusal = refusalOf(reply)
    if (refusal === undefined) {
      candidate.health.succeeded()
      reply.onEnd(candidate.leave)
      return reply
    }
    reply.discard()
    candidate.leave()
    this.#refused(candidate, refusal)
    return undefined
  }

  /** @throws the error, unless the call may be sent again */
  #failed(candidate: Candidate, error: unknown): void {
    const isCut = wasCut(error)
    if (neverReached(error)) this.#pool.eject(candidate, 'refused')
    else if (isCut || isLate(error)) this.#pool.failed(candidate)
    else candidate.health.end()
    if (isCut) this.#cuts += 1
    const isLast = this.#attempts >= maxAttempts || this.#cuts >= maxCuts
    if (isLast || !mayRepeat(this.#exchange.request, error)) throw error
    this.#cut = isCut ? error : undefined
    this.#passOver(candidate)
  }

  /** @throws GatewayError when the call cannot be sent again, or was refused too often */
  #refused(candidate: Candidate, refusal: string): void {
    const { request, route } = this.#exchange
    this.#deps.metrics.refused(refusal)
    if (isOfInstance(refusal)) this.#pool.eject(candidate, refusal)
    else candidate.health.succeeded()
    if (request.gone) throw clientLeft()
    if (!request.body.replayable) throw cutShort(route.identity.key)
    if (this.#attempts >= maxAttempts) throw busy(route.identity.key, this.#attempts)
    this.#refusals += 1
    this.#cut = undefined
    this.#passOver(candidate)
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

function isLate(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_timeout'
}

/** Whether the next call would be refused, too: a full instance may have room for that. */
function isOfInstance(refusal: string): refusal is Exclude<Refusal, 'full'> {
  return refusal === 'draining' || refusal === 'not_ready' || refusal === 'mistaken'
}
