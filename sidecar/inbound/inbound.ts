import {
  type Clock,
  gatewayHeader,
  GatewayError,
  type GatewayRequest,
  mayRepeat,
  neverReached,
  type Random,
  type Refusal,
  removeOwnHeaders,
  type Reply,
  slotHeader,
  wasCut,
} from '#core/lean'
import type { FunctionRunner } from '../function/function-runner.ts'
import type { CallLedger } from './call-ledger.ts'
import type { CallMetrics } from './call-metrics.ts'
import type { CallQueue, WaitEnd } from './call-queue.ts'
import { functionHeaders } from './function-headers.ts'
import { refuse, refuseGateway, refuseQueued } from './refusals.ts'
import type { Reservations } from './reservations.ts'
import type { Slots } from './slots.ts'
import { isStream, type Streams } from './streams.ts'
import { ensureTraceContext } from './trace-context.ts'

/** What calls pass through. */
export interface InboundDeps {
  readonly runner: FunctionRunner
  readonly slots: Slots
  readonly reservations: Reservations
  readonly queue: CallQueue
  readonly ledger: CallLedger
  readonly streams: Streams
  readonly metrics: CallMetrics
  readonly clock: Clock
  readonly random: Random
}

/** Settings of calls. */
export interface InboundOptions {
  /** Longest time of a call, milliseconds; 0 is no limit. */
  readonly timeoutMs: number
  /** Share of new trace contexts that says `sampled`; undefined makes none. */
  readonly sampledRatio: number | undefined
}

/**
 * Lets calls in as far as there are slots, and has the function answer them. A gateway is told at once when there is no room, because it
 * knows other instances; everybody else waits for a while. Until a call is let in, nothing of its body is read.
 */
export class Inbound {
  readonly #deps: InboundDeps
  readonly #options: InboundOptions
  #turnsGatewaysAway = false
  #quietSinceMs = Number.NEGATIVE_INFINITY

  constructor(deps: InboundDeps, options: InboundOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** When a caller that is no gateway called last, by the monotonic clock. */
  get quietSinceMs(): number {
    return this.#quietSinceMs
  }

  /** From now on gateways are sent elsewhere, unless they have a slot already: all of them know that this instance leaves. */
  turnGatewaysAway(): void {
    this.#turnsGatewaysAway = true
  }

  /** Answers one call. */
  handle(request: GatewayRequest): Promise<Reply> {
    const token = request.header(slotHeader)
    if (token !== undefined && this.#deps.reservations.redeem(token)) return this.#answer(request)
    const isOfGateway = request.header(gatewayHeader) !== undefined
    if (!isOfGateway) this.#quietSinceMs = this.#deps.clock.monotonicMs()
    else if (this.#turnsGatewaysAway) return Promise.resolve(this.#refuseGateway('draining'))
    if (this.#deps.slots.tryTake()) return this.#answer(request)
    if (!isOfGateway) return this.#answerInTurn(request)
    return Promise.resolve(this.#refuseGateway(this.#deps.runner.isReady ? 'full' : 'not_ready'))
  }

  async #answerInTurn(request: GatewayRequest): Promise<Reply> {
    const { queue, clock, metrics, slots } = this.#deps
    const sinceMs = clock.monotonicMs()
    const end = await queue.wait(request)
    if (end !== 'taken') return this.#notTaken(end)
    if (request.gone) {
      slots.release()
      throw callerGone()
    }
    metrics.queued(clock.monotonicMs() - sinceMs)
    return this.#answer(request)
  }

  /** @throws GatewayError `client_closed` */
  #notTaken(end: Exclude<WaitEnd, 'taken'>): Reply {
    const { runner, metrics } = this.#deps
    if (end === 'gone') throw callerGone()
    if (!runner.isReady) {
      metrics.refused('not_ready')
      return refuse('not_ready', runner.reason)
    }
    metrics.refused(end === 'full' ? 'queue_full' : 'queue_timeout')
    return refuseQueued(
      end === 'full' ? 'too many calls wait for this function' : 'no slot became free in time: the function is busy',
    )
  }

  /** Answers a call that is meant for the instance that had this address before. */
  async refuseMistaken(): Promise<Reply> {
    return this.#refuseGateway('mistaken')
  }

  #refuseGateway(refusal: Refusal): Reply {
    this.#deps.metrics.refused(refusal)
    return refuseGateway(refusal, refusal === 'not_ready' ? this.#deps.runner.reason : '')
  }

  /** Has the function answer a call that holds a slot, which is given back when the answer has ended. */
  async #answer(request: GatewayRequest): Promise<Reply> {
    const { ledger, clock, metrics, slots } = this.#deps
    const sinceMs = clock.monotonicMs()
    const end = (): void => {
      metrics.ended(clock.monotonicMs() - sinceMs)
      ledger.ended()
      slots.release()
    }
    ledger.began()
    try {
      const reply = await this.#ask(request)
      this.#watch(reply, request, end)
      return reply
    } catch (error) {
      end()
      return this.#failed(error, request)
    }
  }

  /**
   * A call that was cut before its answer began, as a server does that closes a connection just as it is used again, is repeated once. When
   * nobody takes the repeat, the call itself may have ended the server: that it was cut stands, so that it does not pass for one that
   * never reached the function, which any number of instances may be tried with.
   */
  async #ask(request: GatewayRequest): Promise<Reply> {
    const { runner } = this.#deps
    const call = { request, headers: this.#headersOf(request), timeoutMs: this.#options.timeoutMs }
    try {
      return await runner.answer(call)
    } catch (error) {
      if (!wasCut(error) || !mayRepeat(request, error)) throw error
      return runner.answer(call).catch((repeated: unknown) => {
        throw neverReached(repeated) ? error : repeated
      })
    }
  }

  #watch(reply: Reply, request: GatewayRequest, end: () => void): void {
    const { metrics, streams } = this.#deps
    removeOwnHeaders(reply.headers)
    metrics.answered(reply.status)
    const closeStream = isStream(reply) ? streams.opened(request) : undefined
    reply.onEnd((how) => {
      if (how === 'client_gone' || how === 'truncated') metrics.cut(how)
      closeStream?.()
      end()
    })
  }

  /**
   * A call that never reached the function may be taken by any other instance. One that was cut is cut for a gateway, too, as if nobody
   * were in between: it knows whether the call may be tried once more elsewhere, which an answer would keep it from.
   *
   * @throws GatewayError as the function's runner, unless the call never reached the function
   */
  #failed(error: unknown, request: GatewayRequest): Reply {
    const { metrics, runner } = this.#deps
    const isOfGateway = request.header(gatewayHeader) !== undefined
    if (!neverReached(error)) {
      metrics.answered(GatewayError.from(error).status)
      if (isOfGateway && wasCut(error)) request.cut()
      throw error
    }
    metrics.refused('not_ready')
    return isOfGateway ? refuseGateway('not_ready', runner.reason) : refuse('not_ready', runner.reason)
  }

  #headersOf(request: GatewayRequest): string[] {
    const headers = functionHeaders(request)
    const { sampledRatio } = this.#options
    if (sampledRatio !== undefined) ensureTraceContext(headers, this.#deps.random, sampledRatio)
    return headers
  }
}

function callerGone(): GatewayError {
  return new GatewayError('client_closed', 'the client left before its call was let in')
}
