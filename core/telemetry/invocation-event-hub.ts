import type { Exchange } from '../pipeline/exchange.ts'
import type { Clock } from '../time/clock.ts'
import type { InvocationEvents, InvocationOutcome, InvocationSink } from './invocation-events.ts'
import type { Logger } from './logger.ts'

const reportEveryMs = 60_000

/**
 * Hands every announcement to every subscribed sink, in the order of subscription. A sink that throws, or returns a promise
 * that rejects, loses that one announcement; the other sinks and the request never notice. Each sink's failures are logged
 * at most once a minute.
 *
 * The methods of a sink are looked up when it subscribes: a call passes only those that there are.
 */
export class InvocationEventHub implements InvocationEvents {
  readonly #log: Logger
  readonly #clock: Clock
  #subscriptions: readonly Subscription[] = []
  /** Replaced, never changed in place: a sink may unsubscribe from inside an announcement. */
  #listeners: Listeners = listenersOf([])

  constructor(deps: { log: Logger; clock: Clock }) {
    this.#log = deps.log
    this.#clock = deps.clock
  }

  subscribe(sink: InvocationSink): Disposable {
    const subscription = new Subscription(sink)
    this.#setSubscriptions([...this.#subscriptions, subscription])
    return {
      [Symbol.dispose]: () => this.#setSubscriptions(this.#subscriptions.filter((other) => other !== subscription)),
    }
  }

  started(exchange: Exchange): void {
    this.#announce(this.#listeners.started, exchange)
  }

  held(exchange: Exchange): void {
    this.#announce(this.#listeners.held, exchange)
  }

  woken(exchange: Exchange, heldMs: number): void {
    this.#announce(this.#listeners.woken, exchange, heldMs)
  }

  completed(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#announce(this.#listeners.completed, exchange, outcome)
  }

  aborted(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#announce(this.#listeners.aborted, exchange, outcome)
  }

  #setSubscriptions(subscriptions: readonly Subscription[]): void {
    this.#subscriptions = subscriptions
    this.#listeners = listenersOf(subscriptions)
  }

  #announce(listeners: readonly Listener[], exchange: Exchange, detail?: number | InvocationOutcome): void {
    for (const { subscription, method } of listeners) {
      try {
        const returned = method.call(subscription.sink, exchange, detail)
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

/** A method of a sink; which detail it gets is decided where it is called. */
type Method = (this: InvocationSink, exchange: Exchange, detail?: number | InvocationOutcome) => unknown

interface Listener {
  readonly subscription: Subscription
  readonly method: Method
}

type Listeners = Readonly<Record<keyof InvocationSink, readonly Listener[]>>

class Subscription {
  readonly sink: InvocationSink
  /** Failures since the last report. */
  failures = 0
  nextReportMs = Number.NEGATIVE_INFINITY

  constructor(sink: InvocationSink) {
    this.sink = sink
  }
}

function listenersOf(subscriptions: readonly Subscription[]): Listeners {
  const listening = (event: keyof Listeners): readonly Listener[] =>
    subscriptions.flatMap((subscription) => {
      const method = subscription.sink[event] as Method | undefined // the hub passes each event its own detail
      return method === undefined ? [] : [{ subscription, method }]
    })
  return {
    started: listening('started'),
    held: listening('held'),
    woken: listening('woken'),
    completed: listening('completed'),
    aborted: listening('aborted'),
  }
}
