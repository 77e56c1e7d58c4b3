import type { Meter } from '../telemetry/meter.ts'

/** Instruments of coordination with other gateways. */
export class CoordinationMetrics {
  readonly #takeOvers
  readonly #publications
  readonly #gaps
  readonly #commands
  readonly #failures
  readonly #foreign
  #isDegraded = false

  constructor(meter: Meter) {
    this.#takeOvers = meter.createCounter('pilotlight_lease_takeovers_total', {
      description: 'Leases taken over from a gateway that had not renewed or released them',
    })
    this.#publications = meter.createCounter('pilotlight_publications_total', {
      description: 'Changes of functions published to the other gateways, and received from them',
    })
    this.#gaps = meter.createCounter('pilotlight_publication_gaps_total', {
      description: 'Received publications before which at least one was missed',
    })
    this.#commands = meter.createHistogram('pilotlight_redis_command_seconds', {
      description: 'Time of Redis commands, those that failed included',
      advice: {
        explicitBucketBoundaries: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25],
      },
    })
    this.#failures = meter.createCounter('pilotlight_redis_failures_total', {
      description: 'Redis commands that failed, by kind of failure',
    })
    this.#foreign = meter.createCounter('pilotlight_foreign_messages_total', {
      description: 'Messages on the channel of changes that no gateway of this version has sent',
    })
    // There from the start, so that the first increase can be seen.
    for (const counter of [this.#takeOvers, this.#gaps, this.#foreign]) counter.add(0)
    for (const direction of ['sent', 'received']) this.#publications.add(0, { direction })
    meter
      .createObservableGauge('pilotlight_coordination_degraded', {
        description: '1 while this gateway decides alone because what it shares with others cannot be used',
      })
      .addCallback((result) => result.observe(this.#isDegraded ? 1 : 0))
  }

  degraded(isDegraded: boolean): void {
    this.#isDegraded = isDegraded
  }

  tookOver(): void {
    this.#takeOvers.add(1)
  }

  published(): void {
    this.#publications.add(1, { direction: 'sent' })
  }

  heard(): void {
    this.#publications.add(1, { direction: 'received' })
  }

  gap(): void {
    this.#gaps.add(1)
  }

  heardForeign(): void {
    this.#foreign.add(1)
  }

  /** @param failure kind of failure, a word; undefined when it succeeded */
  commandEnded(command: string, seconds: number, failure: string | undefined): void {
    this.#commands.record(seconds, { command })
    if (failure !== undefined) this.#failures.add(1, { command, kind: failure })
  }
}
