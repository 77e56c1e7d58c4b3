import { backoffDelayMs, GatewayError, type Backoff, type Clock, type Random } from '#core'
import type { ProviderCaller } from './provider-caller.ts'

/** One resource to read. */
export interface ProviderRead {
  /** As in ProviderCall. */
  readonly target: string
  /** Milliseconds for everything: tries, pauses, bodies. */
  readonly timeoutMs: number
  /** Longest body accepted. */
  readonly maxBytes: number
  readonly signal?: AbortSignal | undefined
}

/** A whole answer. */
export interface ProviderAnswer {
  readonly status: number
  readonly text: string
}

const pauses: Backoff = { firstMs: 50, maxMs: 500, factor: 2, jitterRatio: 0.5 }

/**
 * Reads resources of the provider whole. A GET may be repeated, so it is: after a broken connection or body, and after the
 * statuses by which a server says that it is the wrong moment, with growing pauses until the time is up. The last answer
 * counts.
 */
export class ProviderReader {
  readonly #caller: ProviderCaller
  readonly #clock: Clock
  readonly #random: Random
  readonly #maxAttempts: number

  constructor(deps: { caller: ProviderCaller; clock: Clock; random: Random; maxAttempts: number }) {
    this.#caller = deps.caller
    this.#clock = deps.clock
    this.#random = deps.random
    this.#maxAttempts = deps.maxAttempts
  }

  /**
   * @throws GatewayError `provider_unavailable` when no whole answer came in time; the signal's reason when it aborts
   */
  async read(read: ProviderRead): Promise<ProviderAnswer> {
    const endsAtMs = this.#clock.monotonicMs() + read.timeoutMs
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(read, endsAtMs)
      if (!(outcome instanceof GatewayError) && !isWrongMoment(outcome.status)) return outcome
      const pauseMs = backoffDelayMs(pauses, attempt, this.#random)
      if (attempt >= this.#maxAttempts || this.#clock.monotonicMs() + pauseMs >= endsAtMs) return settled(outcome)
      await this.#clock.sleep(pauseMs, read.signal)
    }
  }

  async #attempt(read: ProviderRead, endsAtMs: number): Promise<ProviderAnswer | GatewayError> {
    const timeoutMs = Math.max(1, endsAtMs - this.#clock.monotonicMs())
    const { target, signal } = read
    try {
      const response = await this.#caller.call({
        method: 'GET',
        target,
        timeoutMs,
        ...(signal === undefined ? {} : { signal }),
      })
      return { status: response.status, text: await response.text(read.maxBytes) }
    } catch (cause) {
      signal?.throwIfAborted()
      if (cause instanceof GatewayError && cause.code !== 'provider_unavailable') throw cause
      return GatewayError.from(
        cause,
        'provider_unavailable',
        'the answer of the provider was cut off, late or too long',
      )
    }
  }
}

function settled(outcome: ProviderAnswer | GatewayError): ProviderAnswer {
  if (outcome instanceof GatewayError) throw outcome
  return outcome
}

/** Statuses that may be another one a moment later (RFC 9110 section 15, RFC 6585 section 4); 501 stays what it is. */
function isWrongMoment(status: number): boolean {
  return status === 408 || status === 429 || (status >= 500 && status !== 501)
}
