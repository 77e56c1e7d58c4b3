import {
  backoffDelayMs,
  GatewayError,
  parseDuration,
  type Exchange,
  type FunctionIdentity,
  type FunctionState,
  type GatewayRequest,
  type InvocationEvents,
  type ReplicaDirectory,
} from '#core'
import type { HeldBudget } from './held-budget.ts'
import {
  circuitOpen,
  clientLeft,
  coldStartTimeout,
  draining,
  holdTimeoutAnnotation,
  notFound,
  overdueReason,
} from './refusals.ts'
import { Wake } from './wake.ts'
import { Waiter } from './waiter.ts'
import type { WakeOutcome } from './wake-metrics.ts'
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
    this.#waker = new Waker(deps)
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
    if (this.#isOverdue(wake)) throw circuitOpen(key, overdueReason(wake, this.#lastedMs(wake)), 1000)
  }

  #isOverdue(wake: Wake): boolean {
    // Timers may ring a fraction of a millisecond early.
    return Math.ceil(this.#lastedMs(wake)) >= this.#holdTimeoutMs(wake.seen)
  }

  #lastedMs(wake: Wake): number {
    return this.#deps.clock.monotonicMs() - wake.startedMs
  }

  #wait(wake: Wake, request: GatewayRequest, giveBack: () => void): Waiter {
    const { clock, metrics } = this.#deps
    const onSettled = (settled: Waiter): void => {
      giveBack()
      wake.leave(settled)
    }
    if (wake.joined > 0) metrics.callerJoined()
    const timedOut = (waitedMs: number): GatewayError => coldStartTimeout(wake, waitedMs)
    const waiter = new Waiter(clock, request, { timeoutMs: this.#holdTimeoutMs(wake.seen), timedOut, onSettled })
    wake.join(waiter)
    return waiter
  }

  #begin(identity: FunctionIdentity, state: FunctionState | undefined): Wake {
    const wake = new Wake(identity, this.#deps.clock.monotonicMs(), state)
    this.#wakes.set(identity.key, wake)
    const running = this.#run(wake).finally(() => this.#running.delete(running))
    this.#running.add(running)
    return wake
  }

  /** Never rejects. */
  async #run(wake: Wake): Promise<void> {
    try {
      await this.#waker.run(wake)
      this.#end(wake)
      wake.release()
      this.#count(wake, 'ready')
    } catch (error) {
      await this.#stopped(wake, error)
    }
  }

  /** The waker gave up: its callers are served already, nobody waits any more, or the function cannot be started. */
  async #stopped(wake: Wake, reason: unknown): Promise<void> {
    if (wake.ending !== undefined || (wake.isAbandoned && !this.#isOverdue(wake))) {
      this.#end(wake)
      this.#count(wake, wake.ending === 'released' ? 'ready' : 'abandoned')
      return
    }
    const error = wake.isAbandoned
      ? new GatewayError('cold_start_timeout', overdueReason(wake, this.#lastedMs(wake)))
      : GatewayError.from(reason)
    await this.#publishFailure(wake, error)
    this.#end(wake)
    wake.refuse(error)
    this.#count(wake, error.code === 'function_not_found' ? 'absent' : 'failed')
  }

  #count(wake: Wake, outcome: WakeOutcome): void {
    this.#deps.metrics.wakeEnded(wake.isKnown && outcome !== 'absent' ? wake.identity : undefined, outcome)
  }

  /** From here on a new call begins a new wake. */
  #end(wake: Wake): void {
    if (this.#wakes.get(wake.identity.key) === wake) this.#wakes.delete(wake.identity.key)
  }

  /** Tells all gateways. Never rejects: those who wait must be told in any case. */
  async #publishFailure(wake: Wake, error: GatewayError): Promise<void> {
    const { coordinator, log } = this.#deps
    const { key } = wake.identity
    const isAbsent = error.code === 'function_not_found'
    if (!isAbsent) log.warn(`function ${key} could not be woken: ${error.message}`, { cause: error.cause })
    try {
      await coordinator.publish(isAbsent ? this.#absentState(wake) : this.#failedState(wake, error))
    } catch (reason) {
      log.warn(`other gateways were not told that ${key} could not be woken`, { err: reason })
    }
  }

  #absentState({ seen, identity }: Wake): FunctionState {
    const nowMs = this.#deps.clock.nowMs()
    const base = seen ?? nothingKnown(identity)
    return { ...base, phase: 'absent', observedAtMs: nowMs, retryAtMs: nowMs + this.#deps.options.absentTtl }
  }

  #failedState(wake: Wake, { message, details }: GatewayError): FunctionState {
    const { clock, random, options } = this.#deps
    const nowMs = clock.nowMs()
    const failures = wake.failures + 1
    const backoff = { firstMs: options.failureBackoff, maxMs: options.failureBackoffMax, factor: 2, jitterRatio: 0.2 }
    const retryAtMs = nowMs + backoffDelayMs(backoff, failures, random)
    const base = wake.seen ?? nothingKnown(wake.identity)
    const reason = String(details['reason'] ?? message)
    return { ...base, phase: 'failed', observedAtMs: wake.isKnown ? nowMs : 0, reason, retryAtMs, failures }
  }

  #onState(state: FunctionState): void {
    const wake = this.#wakes.get(state.identity.key)
    if (wake === undefined) return
    wake.seen = state
    if (state.annotations[holdTimeoutAnnotation] !== undefined) wake.limit(this.#holdTimeoutMs(state))
    if (state.phase !== 'ready') return
    this.#end(wake)
    wake.release()
  }

  #holdTimeoutMs(state: FunctionState | undefined): number {
    const annotated = state?.annotations[holdTimeoutAnnotation]
    return (annotated === undefined ? undefined : parseDuration(annotated)) ?? this.#deps.holdTimeoutMs
  }
}

function nothingKnown(identity: FunctionIdentity): FunctionState {
  return {
    identity,
    phase: 'failed',
    desired: 0,
    available: 0,
    min: 1,
    max: 1,
    fence: 0,
    observedAtMs: 0,
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: {},
    annotations: {},
  }
}
