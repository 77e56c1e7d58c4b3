import type { Meter } from '../telemetry/meter.ts'

/** Instruments of the supervisor. */
export class SupervisorMetrics {
  readonly #ended

  constructor(meter: Meter, countServing: () => number) {
    meter
      .createObservableGauge('pilotlight_workers_serving', { description: 'Worker processes that serve.' })
      .addCallback((result) => result.observe(countServing()))
    this.#ended = meter.createCounter('pilotlight_worker_ends_total', {
      description: 'Worker processes that were replaced: because they died (lost), or were asked to go (rolled).',
    })
    for (const reason of ['lost', 'rolled']) this.#ended.add(0, { reason })
  }

  /** A worker died. */
  lost(): void {
    this.#ended.add(1, { reason: 'lost' })
  }

  /** A worker went because another one has taken its place. */
  replaced(): void {
    this.#ended.add(1, { reason: 'rolled' })
  }
}
