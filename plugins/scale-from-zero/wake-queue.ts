import {
  backoffDelayMs,
  formatDuration,
  GatewayError,
  parseDuration,
  type Exchange,
  type FunctionIdentity,
  type FunctionState,
  type InvocationEvents,
} from '#core'
import { HeldBudget } from './held-budget.ts'
import { Wake } from './wake.ts'
import { Waiter } from './waiter.ts'
import { Waker, type WakerDeps } from './waker.ts'

/** Annotation by which a function sets how long its calls are held: a Go duration. */
export const holdTimeoutAnnotation = 'com.pilotlight.hold-timeout'

/** What holding works with. */
export interface WakeQueueDeps extends WakerDeps {
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

  constructor(deps: WakeQueueDeps) {
    this.#deps = deps
    this.#waker = new Waker(deps)
    this.#subscription = deps.directory.subscribe((state) => this.#onState(state))
  }

  /**
   * Resolves when the function of a call is ready.
   * @throws GatewayError `function_not_found`; `circuit_open` or the reason itself when it cannot be started; `queue_full`;
   *   `cold_start_timeout`; `client_closed`
   */
  async hold(exchange: Exchange): Promise<void> {
    const { directory, clock, events, metrics } = this.#deps
    const { identity } = exchange.route
    const state = directory.get(identity.key)
    const current = this.#current(identity)
    const refusal = this.#knownFailure(identity, state, current)
    if (refusal !== undefined) {
      metrics.refused(refusal.code)
      throw refusal
    }
    const waiter = this.#wait(current ?? this.#begin(identity, state), exchange)
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
    this.#subscription[Symbol.dispose]()
    const draining = new GatewayError('draining', 'the gateway is shutting down')
    for (const wake of [...this.#wakes.values()]) wake.refuse(draining)
    await Promise.allSettled(this.#running)
  }

  /** The wake to join. One that everybody left is not, even while its work is still being stopped. */
  #current(identity: FunctionIdentity): Wake | undefined {
    const wake = this.#wakes.get(identity.key)
    return wake?.signal.aborted === true ? undefined : wake
  }

  /** Why a call need not wait: its function is known not to exist, not to start, or to be long overdue. */
  #knownFailure(
    { key }: FunctionIdentity,
    state: FunctionState | undefined,
    wake: Wake | undefined,
  ): GatewayError | undefined {
    const { clock } = this.#deps
    const nowMs = clock.nowMs()
    if (state?.phase === 'absent') return notFound(key)
    if (state?.phase === 'failed' && nowMs < state.retryAtMs) return circuitOpen(key, state.reason, state.retryAtMs - nowMs)
    // One call at a time tries a failed function again; the others need not wait for the outcome.
    if (wake !== undefined && wake.failures > 0) return circuitOpen(key, wake.lastReason, 1000)
    if (wake !== undefined && this.#isOverdue(wake)) return circuitOpen(key, this.#overdueReason(wake), 1000)
    return undefined
  }

  #isOverdue(wake: Wake): boolean {
    return this.#deps.clock.monotonicMs() - wake.startedMs > this.#holdTimeoutMs(wake.seen)
  }

  #overdueReason(wake: Wake): string {
    const lastedMs = Math.round(this.#deps.clock.monotonicMs() - wake.startedMs)
    return `it has not become ready for ${formatDuration(lastedMs)} (${replicasSeen(wake.seen)})`
  }

  #wait(wake: Wake, { request }: Exchange): Waiter {
    const { budget, clock, metrics } = this.#deps
    let giveBack: () => void
    try {
      giveBack = budget.take(request, wake.identity.key, wake.size)
    } catch (error) {
      metrics.refused('queue_full')
      if (wake.size === 0) wake.abandon()
      throw error
    }
    const onSettled = (settled: Waiter): void => {
      giveBack()
      wake.leave(settled)
    }
    if (wake.joined > 0) metrics.callerJoined()
    const timedOut = (waitedMs: number): GatewayError => coldStartTimeout(wake, waitedMs)
    const waiter = new Waiter(clock, request, onSettled, { timeoutMs: this.#holdTimeoutMs(wake.seen), timedOut })
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

  async #run(wake: Wake): Promise<void> {
    const { metrics, log } = this.#deps
    const { identity } = wake
    try {
      await this.#waker.run(wake)
      this.#end(wake)
      metrics.wakeEnded(identity, 'ready')
      wake.release()
    } catch (error) {
      this.#end(wake)
      if (wake.isAbandoned && !this.#isOverdue(wake)) {
        metrics.wakeEnded(identity, 'abandoned')
        return
      }
      const known = wake.isAbandoned
        ? new GatewayError('cold_start_timeout', this.#overdueReason(wake))
        : GatewayError.from(error)
      metrics.wakeEnded(identity, known.code === 'function_not_found' ? 'absent' : 'failed')
      if (known.code !== 'function_not_found') {
        log.warn(`function ${identity.key} could not be woken: ${known.message}`, { cause: known.cause })
      }
      await this.#publishFailure(wake, known)
      wake.refuse(known)
    }
  }

  /** From here on a new call begins a new wake. */
  #end(wake: Wake): void {
    if (this.#wakes.get(wake.identity.key) === wake) this.#wakes.delete(wake.identity.key)
  }

  async #publishFailure(wake: Wake, error: GatewayError): Promise<void> {
    const { coordinator, clock, random, options } = this.#deps
    const nowMs = clock.nowMs()
    const base = wake.seen ?? nothingKnown(wake.identity)
    if (error.code === 'function_not_found') {
      await coordinator.publish({ ...base, phase: 'absent', observedAtMs: nowMs, retryAtMs: nowMs + options.absentTtl })
      return
    }
    const failures = wake.failures + 1
    const backoff = { firstMs: options.failureBackoff, maxMs: options.failureBackoffMax, factor: 2, jitterRatio: 0.2 }
    const retryAtMs = nowMs + backoffDelayMs(backoff, failures, random)
    await coordinator.publish({ ...base, phase: 'failed', observedAtMs: nowMs, reason: error.message, retryAtMs, failures })
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

function notFound(key: string): GatewayError {
  return new GatewayError('function_not_found', `no function named "${key}"`)
}

function coldStartTimeout(wake: Wake, waitedMs: number): GatewayError {
  const { key } = wake.identity
  const message =
    `cold start of "${key}" exceeded ${formatDuration(Math.round(waitedMs))} (${replicasSeen(wake.seen)}); ` +
    `raise its annotation ${holdTimeoutAnnotation} or PILOTLIGHT_HOLD_TIMEOUT, or keep a replica running`
  return new GatewayError('cold_start_timeout', message)
}

function circuitOpen(key: string, reason: string, retryAfterMs: number): GatewayError {
  return new GatewayError('circuit_open', `"${key}" could not be started: ${reason}`, {
    retryAfterSeconds: Math.max(1, retryAfterMs / 1000),
  })
}

function replicasSeen(seen: FunctionState | undefined): string {
  return seen === undefined ? 'no status seen' : `${seen.available} of ${seen.desired} replicas ready`
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
