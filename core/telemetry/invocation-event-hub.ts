import type { Exchange } from '../pipeline/exchange.ts'
import type { Clock } from '../time/clock.ts'
import type { InvocationEvents, InvocationOutcome, InvocationSink } from './invocation-events.ts'
import type { Logger } from './logger.ts'

const reportEveryMs = 60_000

/**
 * Hands every announcement to every subscribed sink, in the order of subscription. A sink that throws, or returns a promise
 * that rejects, loses that one announcement; the other sinks and the request never notice. Each sink's failures are logged
 * at most once a minute.
 */
export class InvocationEventHub implements InvocationEvents {
  readonly #log: Logger
  readonly #clock: Clock
  /** Replaced, never changed in place: a sink may unsubscribe from inside an announcement. */
  #subscriptions: readonly Subscription[] = []

  constructor(deps: { log: Logger; clock: Clock }) {
    this.#log = deps.log
    this.#clock = deps.clock
  }

  subscribe(sink: InvocationSink): Disposable {
    const subscription = new Subscription(sink)
    this.#subscriptions = [...this.#subscriptions, subscription]
    return {
      [Symbol.dispose]: () => {
        this.#subscriptions = this.#subscriptions.filter((other) => other !== subscription)
      },
    }
  }

  started(exchange: Exchange): void {
    this.#announce('started', exchange)
  }

  held(exchange: Exchange): void {
    this.#announce('held', exchange)
  }

  woken(exchange: Exchange, heldMs: number): void {
    this.#announce('woken', exchange, heldMs)
  }

  completed(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#announce('completed', exchange, outcome)
  }

  aborted(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#announce('aborted', exchange, outcome)
  }

  #announce(event: keyof InvocationSink, exchange: Exchange, detail?: number | InvocationOutcome): void {
    for (const subscription of this.#subscriptions) {
      const { sink } = subscription
      try {
        const listener = sink[event] as Listener | undefined // each method above pairs its event with the right detail
        const returned = listener?.call(sink, exchange, detail)
        // The types allow an async method as a sink's; its rejection must not end the process.
        if (returned instanceof Promise) returned.catch((error: unknown) => this.#report(subscription, error))
      } catch (error) {
        this.#report(subscription, error)
      }
    }
  }

  #report(subscription: Subscription, error: unknown): void {
    subscription.failures += 1
    const nowMs = this.#clock.monotonicMs()
    if (nowMs < subscription.nextReportMs) return
    subscription.nextReportMs = nowMs + reportEveryMs
    this.#log.error('an invocation sink failed', {
      sink: subscription.sink.constructor.name,
      failures: subscription.failures,
      error,
    })
    subscription.failures = 0
  }
}

type Listener = (exchange: Exchange, detail?: number | InvocationOutcome) => unknown

class Subscription {
  readonly sink: InvocationSink
  /** Failures since the last report. */
  failures = 0
  nextReportMs = Number.NEGATIVE_INFINITY

  constructor(sink: InvocationSink) {
    this.sink = sink
  }
}
