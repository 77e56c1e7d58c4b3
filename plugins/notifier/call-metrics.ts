import type {
  Exchange,
  ExchangeTimes,
  InvocationOutcome,
  InvocationSeries,
  InvocationSink,
  Meter,
  ReplicaDirectory,
} from '#core'

/** Statuses of a call to an unknown name that prove nothing about a function: only who asks can be seen in them. */
const provesNothing = new Set([404, 499])

/**
 * Counts forwarded calls in the OpenFaaS series, and those cut off in one of our own.
 *
 * Names that the gateway does not know make no series unless something answered: their start is counted at their end. Every
 * start that is counted is followed by an end, so that the two agree once nothing is in flight.
 */
export class CallMetrics implements InvocationSink {
  readonly #series: InvocationSeries
  readonly #directory: ReplicaDirectory
  readonly #aborted
  /** Calls of unknown names whose start is not counted yet. Copies of one exchange share their times. */
  readonly #uncounted = new WeakSet<ExchangeTimes>()

  constructor(deps: { series: InvocationSeries; directory: ReplicaDirectory; meter: Meter }) {
    this.#series = deps.series
    this.#directory = deps.directory
    this.#aborted = deps.meter.createCounter('pilotlight_aborted_total', {
      description: 'Forwarded calls whose client left (client_gone) or whose answer was cut off (truncated).',
    })
  }

  started(exchange: Exchange): void {
    const { key } = exchange.route.identity
    if (this.#directory.knows(key)) this.#series.started(key)
    else this.#uncounted.add(exchange.times)
  }

  completed(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#count(exchange, outcome)
  }

  aborted(exchange: Exchange, outcome: InvocationOutcome): void {
    if (!this.#count(exchange, outcome)) return
    const reason = outcome.status === 499 ? 'client_gone' : 'truncated'
    this.#aborted.add(1, { function_name: exchange.route.identity.key, reason })
  }

  #count({ route, times }: Exchange, { status, upstreamMs }: InvocationOutcome): boolean {
    if (times.forwardedMs === 0) return false
    const { key } = route.identity
    if (this.#uncounted.delete(times)) {
      if (provesNothing.has(status) && !this.#directory.knows(key)) return false
      this.#series.started(key)
    }
    this.#series.ended(key, status, upstreamMs / 1000)
    return true
  }
}
