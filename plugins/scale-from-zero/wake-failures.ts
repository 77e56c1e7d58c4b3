import {
  backoffDelayMs,
  nothingKnown,
  type Clock,
  type Coordinator,
  type FunctionState,
  type GatewayError,
  type Lease,
  type Logger,
  type Random,
} from '#core'
import type { ScaleFromZeroOptions } from './options.ts'
import type { Wake } from './wake.ts'

/** What telling of failures works with. */
export interface WakeFailuresDeps {
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly options: ScaleFromZeroOptions
}

/** Tells all gateways that a function could not be woken, so that each refuses its callers until it may be tried again. */
export class WakeFailures {
  readonly #deps: WakeFailuresDeps

  constructor(deps: WakeFailuresDeps) {
    this.#deps = deps
  }

  /**
   * Publishes a failure under the lease of the wake. Never rejects: those who wait must be told in any case.
   * @returns false when the lease was lost: another gateway wakes the function, and nothing has failed yet
   */
  async publish(wake: Wake, { fence }: Lease, error: GatewayError): Promise<boolean> {
    const { coordinator, log } = this.#deps
    const { key } = wake.identity
    const isAbsent = error.code === 'function_not_found'
    const state = isAbsent ? this.#absent(wake) : this.#failed(wake, error)
    try {
      if (!(await coordinator.publish({ ...state, fence }))) return false
    } catch (reason) {
      log.warn(`other gateways were not told that ${key} could not be woken`, { err: reason })
    }
    if (!isAbsent) log.warn(`function ${key} could not be woken: ${error.message}`, { cause: error.cause })
    return true
  }

  #absent({ seen, identity }: Wake): FunctionState {
    const nowMs = this.#deps.clock.nowMs()
    const base = seen ?? nothingKnown(identity)
    return { ...base, phase: 'absent', observedAtMs: nowMs, retryAtMs: nowMs + this.#deps.options.absentTtl }
  }

  #failed(wake: Wake, { message, details }: GatewayError): FunctionState {
    const { clock, random, options } = this.#deps
    const nowMs = clock.nowMs()
    const failures = wake.failures + 1
    const backoff = { firstMs: options.failureBackoff, maxMs: options.failureBackoffMax, factor: 2, jitterRatio: 0.2 }
    const retryAtMs = nowMs + backoffDelayMs(backoff, failures, random)
    const base = wake.seen ?? nothingKnown(wake.identity)
    const reason = String(details['reason'] ?? message)
    return { ...base, phase: 'failed', observedAtMs: wake.isKnown ? nowMs : 0, reason, retryAtMs, failures }
  }
}
