import type { FunctionIdentity, Meter } from '#core'
import type { WakeOutcome } from './wake-end.ts'
import type { Wake } from './wake.ts'

/** Part of a cold start: asking for the first status, having it scaled, waiting until it is ready. */
export type WakePhase = 'status' | 'scale' | 'ready'

/** Instruments of waking. Unknown names never become labels. */
export class WakeMetrics {
  readonly #wakes
  readonly #phases
  readonly #leaseWaits
  readonly #coalesced
  readonly #refused

  constructor(meter: Meter, heldNow: () => number) {
    this.#wakes = meter.createCounter('pilotlight_wakes_total', {
      description: 'Wakes of functions by outcome, and by whether this gateway or another one led them',
    })
    this.#phases = meter.createHistogram('pilotlight_wake_phase_seconds', {
      description: 'Time a wake spent in each of its phases',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] },
    })
    this.#leaseWaits = meter.createHistogram('pilotlight_lease_wait_seconds', {
      description: 'Time a wake waited for another gateway that held its lease, per attempt to take it',
      advice: { explicitBucketBoundaries: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] },
    })
    this.#coalesced = meter.createCounter('pilotlight_coalesced_callers_total', {
      description: 'Calls that joined a wake which another call had begun',
    })
    this.#refused = meter.createCounter('pilotlight_hold_refusals_total', {
      description: 'Calls refused instead of held, by reason',
    })
    meter
      .createObservableGauge('pilotlight_held_requests', {
        description: 'Calls held now because their function is not ready.',
      })
      .addCallback((result) => result.observe(heldNow()))
  }

  /** A function that may not exist is not named. */
  wakeEnded({ identity, isKnown, role = 'follower' }: Wake, outcome: WakeOutcome): void {
    const name = isKnown && outcome !== 'absent' ? { function_name: identity.key } : {}
    this.#wakes.add(1, { ...name, outcome, role })
  }

  leaseWaited(durationMs: number): void {
    this.#leaseWaits.record(durationMs / 1000)
  }

  phaseEnded(identity: FunctionIdentity, phase: WakePhase, durationMs: number): void {
    this.#phases.record(durationMs / 1000, { function_name: identity.key, phase })
  }

  callerJoined(): void {
    this.#coalesced.add(1)
  }

  refused(reason: string): void {
    this.#refused.add(1, { reason })
  }
}
