import type { GatewayRequest } from '../http/gateway-request.ts'
import type { FunctionRoute } from '../routing/function-route.ts'
import type { ContextKey } from './context-key.ts'
import type { Upstream } from './upstream.ts'

/**
 * One call of a function on its way through the gateway. Created by core after routing: the route is always there.
 * `placedOn` gives a copy for one attempt; the copies of one call share request, facts and times.
 */
export class Exchange {
  /** Value of `X-Call-Id`: the client's, or a new UUID. */
  readonly id: string
  readonly request: GatewayRequest
  readonly route: FunctionRoute
  /** Where this attempt goes, or undefined for the default upstream (the provider). */
  readonly upstream: Upstream | undefined
  readonly times: ExchangeTimes
  /** Value of `X-Start-Time`: when the head was received, Unix time in nanoseconds as decimal text. */
  readonly startTime: string
  /** The exchange that this one is a copy of: it keeps the facts of all. */
  #original: Exchange = this
  #facts: Map<ContextKey<unknown>, unknown> | undefined
  /** When it was first forwarded, less what it was held before. */
  #spendingFromMs: number | undefined

  constructor(id: string, request: GatewayRequest, facts: ExchangeFacts) {
    this.id = id
    this.request = request
    this.route = facts.route
    this.times = facts.times
    this.startTime = facts.startTime
    this.upstream = facts.upstream
  }

  /** Aborts when the client is gone or the gateway gives the call up. Created on first use: costs nothing until asked for. */
  get signal(): AbortSignal {
    return this.request.signal
  }

  /** Reads a slot. */
  get<T>(key: ContextKey<T>): T {
    const value = this.#original.#facts?.get(key)
    return value === undefined ? key.fallback : (value as T) // a slot holds only what `set` with the same key put there
  }

  /** Fills a slot, for the inner and outer middleware of this call. */
  set<T>(key: ContextKey<T>, value: T): void {
    const original = this.#original
    original.#facts ??= new Map()
    original.#facts.set(key, value)
  }

  /**
   * Milliseconds since the first attempt of this call was forwarded, without those that it was held after that: what all its attempts
   * together have spent. The first to ask is the first attempt.
   */
  spentMs(nowMs: number): number {
    const original = this.#original
    const workingMs = nowMs - this.times.heldMs
    original.#spendingFromMs ??= workingMs
    return workingMs - original.#spendingFromMs
  }

  /** Returns a copy of this exchange that goes to `upstream`. */
  placedOn(upstream: Upstream): Exchange {
    const { route, times, startTime } = this
    const copy = new Exchange(this.id, this.request, { route, times, startTime, upstream })
    copy.#original = this.#original
    return copy
  }
}

/** What an exchange is made from, besides its id and request. */
export interface ExchangeFacts {
  readonly route: FunctionRoute
  readonly times: ExchangeTimes
  readonly startTime: string
  readonly upstream?: Upstream | undefined
}

/** When things happened to a call: milliseconds of the monotonic clock, 0 until they happen. */
export interface ExchangeTimes {
  readonly receivedMs: number
  /** First byte of the (last) attempt handed to the upstream connection pool. */
  forwardedMs: number
  /** Milliseconds spent held because the function was not ready, or no instance of it had a free slot. */
  heldMs: number
}
