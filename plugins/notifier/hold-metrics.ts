import type { Clock, Exchange, ExchangeTimes, InvocationOutcome, InvocationSink, Meter, ReplicaDirectory } from '#core'

const bucketsSeconds = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 30, 60, 120]

/** How a hold ended, as a label. */
type HoldEnd = 'woken' | 'timeout' | 'client_gone' | 'refused'

/**
 * Measures how long calls waited for functions that were not ready, and how their hold ended. A hold that nobody announces as
 * woken ends with its call.
 */
export class HoldMetrics implements InvocationSink {
  readonly #clock: Clock
  readonly #directory: ReplicaDirectory
  readonly #seconds
  /** Begin of each hold, by the times that the copies of one exchange share. */
  readonly #heldSince = new Map<ExchangeTimes, number>()

  constructor(deps: { meter: Meter; clock: Clock; directory: ReplicaDirectory }) {
    this.#clock = deps.clock
    this.#directory = deps.directory
    this.#seconds = deps.meter.createHistogram('pilotlight_hold_seconds', {
      description: 'Time that calls were held because their function was not ready, by how the hold ended.',
      advice: { explicitBucketBoundaries: bucketsSeconds },
    })
  }

  held(exchange: Exchange): void {
    this.#heldSince.set(exchange.times, this.#clock.monotonicMs())
  }

  woken(exchange: Exchange, heldMs: number): void {
    this.#heldSince.delete(exchange.times)
    this.#record(exchange, heldMs, 'woken')
  }

  completed(exchange: Exchange, { status }: InvocationOutcome): void {
    if (this.#heldSince.size > 0) this.#ended(exchange, status === 504 ? 'timeout' : 'refused')
  }

  aborted(exchange: Exchange): void {
    if (this.#heldSince.size > 0) this.#ended(exchange, 'client_gone')
  }

  #ended(exchange: Exchange, outcome: HoldEnd): void {
    const sinceMs = this.#heldSince.get(exchange.times)
    if (sinceMs === undefined) return
    this.#heldSince.delete(exchange.times)
    this.#record(exchange, this.#clock.monotonicMs() - sinceMs, outcome)
  }

  /** A name that turned out to be no function's makes no series. */
  #record({ route }: Exchange, heldMs: number, outcome: HoldEnd): void {
    const { key } = route.identity
    if (this.#directory.knows(key)) this.#seconds.record(heldMs / 1000, { function_name: key, outcome })
  }
}
