import {
  GatewayError,
  holdTimeoutAnnotation,
  holdTimeoutMs,
  Waiter,
  type Exchange,
  type FunctionIdentity,
  type FunctionState,
  type GatewayRequest,
  type HeldBudget,
  type InvocationEvents,
  type ReplicaDirectory,
} from '#core'
import { circuitOpen, clientLeft, coldStartTimeout, draining, notFound, overdueReason } from './refusals.ts'
import { Wake } from './wake.ts'
import { WakeFailures } from './wake-failures.ts'
import { Waker, type WakerDeps } from './waker.ts'

/** What holding works with. */
export interface WakeQueueDeps extends WakerDeps {
  readonly directory: ReplicaDirectory
  readonly events: InvocationEvents
  readonly budget: HeldBudget
  /** How long calls are held unless their function says otherwise, in milliseconds. */
  readonly holdTimeoutMs: number
}

/**
 * Holds calls of functions that are not ready, and has each such function woken once for all of its callers. Each call has
 * its own deadline and its own cancellation; a wake goes on while anybody waits for it.
 */
export class WakeQueue implements AsyncDisposable {
  readonly #deps: WakeQueueDeps
  readonly #waker: Waker
  readonly #wakes = new Map<string, Wake>()
  readonly #running = new Set<Promise<void>>()
  readonly #subscription: Disposable
  #isClosed = false

  constructor(deps: WakeQueueDeps) {
    this.#deps = deps
    this.#waker = new Waker(deps, new WakeFailures(deps))
    this.#subscription = deps.directory.subscribe((state) => this.#onState(state))
  }

  /**
   * Resolves when the function of a call is ready.
   * @throws GatewayError `function_not_found`; `circuit_open` or the reason itself when it cannot be started; `queue_full`;
   *   `cold_start_timeout`; `client_closed`; `draining`
   */
  async hold(exchange: Exchange): Promise<void> {
    const { clock, events } = this.#deps
    const waiter = this.#admit(exchange)
    events.held(exchange)
    const fromMs = clock.monotonicMs()
    try {
      await waiter.released
    } finally {
      exchange.times.heldMs += clock.monotonicMs() - fromMs
    }
    events.woken(exchange, exchange.times.heldMs)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true
    this.#subscription[Symbol.dispose]()
    for (const wake of [...this.#wakes.values()]) wake.refuse(draining())
    await Promise.allSettled(this.#running)
  }

  /** Lets a call wait, unless it need not or must not. */
  #admit({ route: { identity }, request }: Exchange): Waiter {
    const { directory, budget, metrics } = this.#deps
    if (request.gone) throw clientLeft()
    if (this.#isClosed) throw draining()
    const state = directory.get(identity.key)
    const current = this.#current(identity)
    try {
      this.#refuseKnown(identity, state)
      if (current !== undefined) this.#refuseToJoin(current)
      const giveBack = budget.take(request, identity.key, current?.size ?? 0)
      return this.#wait(current ?? this.#begin(identity, state), request, giveBack)
    } catch (error) {
      metrics.refused(GatewayError.from(error).code)
      throw error
    }
  }

  /** The wake to join. One that everybody left is not, even while its work is still being stopped. */
  #current(identity: FunctionIdentity): Wake | undefined {
    const wake = this.#wakes.get(identity.key)
    return wake?.signal.aborted === true ? undefined : wake
  }

  /** @throws GatewayError when a function is known not to exist, or not to start */
  #refuseKnown({ key }: FunctionIdentity, state: FunctionState | undefined): void {
    if (state?.phase === 'absent') throw notFound(key)
    if (state?.phase !== 'failed') return
    const pauseMs = state.retryAtMs - this.#deps.clock.nowMs()
    // A longer pause than there is was set before the wall clock jumped back.
    if (pauseMs > 0 && pauseMs <= this.#deps.options.failureBackoffMax) throw circuitOpen(key, state.reason, pauseMs)
  }

  /** @throws GatewayError when there is little hope that a wake under way succeeds */
  #refuseToJoin(wake: Wake): void {
    const { key } = wake.identity
    // One call at a time tries a failed function again; the others need not wait for the outcome.
    if (wake.failures > 0) throw circuitOpen(key, wake.lastReason, 1000)
    const nowMs = this.#deps.clock.monotonicMs()
    if (wake.isOverdue(nowMs)) throw circuitOpen(key, overdueReason(wake, nowMs - wake.startedMs), 1000)
  }

  #wait(wake: Wake, request: GatewayRequest, giveBack: () => void): Waiter {
    const { clock, metrics } = this.#deps
    const onSettled = (settled: Waiter): void => {
      giveBack()
      wake.leave(settled)
    }
    if (wake.joined > 0) metrics.callerJoined()
    const timedOut = (waitedMs: number): GatewayError => coldStartTimeout(wake, waitedMs)
    const waiter = new Waiter(clock, request, { timeoutMs: wake.holdMs, timedOut, onSettled })
    wake.join(waiter)
    return waiter
  }

  #begin(identity: FunctionIdentity, seen: FunctionState | undefined): Wake {
    const startedMs = this.#deps.clock.monotonicMs()
    const wake = new Wake(identity, { startedMs, holdMs: this.#holdTimeoutMs(seen), seen })
    this.#wakes.set(identity.key, wake)
    const running = this.#run(wake).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return wake
  }

  /** Never rejects. */
  async #run(wake: Wake): Promise<void> {
    const { outcome, error } = await this.#waker.run(wake)
    this.#end(wake)
    if (outcome === 'ready') wake.release()
    else if (error !== undefined) wake.refuse(error)
    this.#deps.metrics.wakeEnded(wake, outcome)
  }

  /** From here on a new call begins a new wake. */
  #end(wake: Wake): void {
    if (this.#wakes.get(wake.identity.key) === wake) this.#wakes.delete(wake.identity.key)
  }

  #onState(state: FunctionState): void {
    const wake = this.#wakes.get(state.identity.key)
    if (wake === undefined) return
    wake.seen = state
    if (state.annotations[holdTimeoutAnnotation] !== undefined) wake.limit(this.#holdTimeoutMs(state))
    if (state.phase === 'ready') {
      this.#end(wake)
      wake.release()
    } else if (wake.role !== 'leader') this.#refuseFollowers(wake, state)
  }

  /** What another gateway could not wake, callers here need not wait for. */
  #refuseFollowers(wake: Wake, state: FunctionState): void {
    try {
      this.#refuseKnown(wake.identity, state)
    } catch (error) {
      this.#end(wake)
      wake.refuse(GatewayError.from(error))
    }
  }

  #holdTimeoutMs(state: FunctionState | undefined): number {
    return holdTimeoutMs(state, this.#deps.holdTimeoutMs)
  }
}
