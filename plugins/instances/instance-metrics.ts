import type { InstanceDirectory, InstancePhase, Meter } from '#core'
import type { EjectionCause } from './placement/function-pool.ts'

/**
 * What became of a report.
 * - `accepted`: all gateways are told
 * - `outdated`: a newer one was there before, or it was too long on its way
 * - `unsigned`: the key did not sign it, or this gateway has none
 * - `foreign`: its address is in no configured network, or it takes calls without TLS where gateways have certificates
 * - `invalid`: it could not be read
 * - `failed`: it could not be taken over
 */
export type ReportOutcome = 'accepted' | 'outdated' | 'unsigned' | 'foreign' | 'invalid' | 'failed'

/** How waiting for a slot ended. */
export type WaitEnd = 'released' | 'timeout' | 'client_gone' | 'refused'

const reportOutcomes: readonly ReportOutcome[] = ['accepted', 'outdated', 'unsigned', 'foreign', 'invalid', 'failed']
const refusals: readonly string[] = ['full', 'draining', 'not_ready', 'mistaken']
const ejectionCauses: readonly EjectionCause[] = ['refused', 'failed', 'draining', 'not_ready', 'mistaken']
const phases: readonly InstancePhase[] = ['starting', 'ready', 'unready', 'leaving']
const waitBuckets = [0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Instruments of the plugin. What every call passes is counted in plain numbers that are read when somebody asks. */
export class InstanceMetrics {
  /** Calls handed to instances, each attempt counted, and to the provider. */
  toInstances = 0
  toProvider = 0
  /** Slots that sidecars gave, and those of them that nobody needed any more. */
  slotsGranted = 0
  slotsGivenBack = 0
  readonly #reports
  readonly #refusals
  readonly #ejections
  readonly #waits

  constructor(meter: Meter, directory: InstanceDirectory, waitingNow: () => number) {
    this.#reports = meter.createCounter('pilotlight_instance_reports_total', {
      description: 'Reports of sidecars by what became of them.',
    })
    for (const outcome of reportOutcomes) this.#reports.add(0, { outcome })
    this.#refusals = meter.createCounter('pilotlight_instance_refusals_total', {
      description: 'Calls that a sidecar did not let in, by its reason.',
    })
    for (const reason of refusals) this.#refusals.add(0, { reason })
    this.#ejections = meter.createCounter('pilotlight_instance_ejections_total', {
      description: 'Instances taken out of placement for a while, by cause.',
    })
    for (const cause of ejectionCauses) this.#ejections.add(0, { cause })
    this.#waits = meter.createHistogram('pilotlight_slot_wait_seconds', {
      description: 'Time that calls waited for a free slot of an instance, by how the wait ended.',
      advice: { explicitBucketBoundaries: waitBuckets },
    })
    this.#observe(meter, directory, waitingNow)
  }

  reported(outcome: ReportOutcome): void {
    this.#reports.add(1, { outcome })
  }

  /** @param reason as the sidecar says; one that this version does not know counts as `full` */
  refused(reason: string): void {
    this.#refusals.add(1, { reason: refusals.includes(reason) ? reason : 'full' })
  }

  ejected(cause: EjectionCause): void {
    this.#ejections.add(1, { cause })
  }

  waitEnded(outcome: WaitEnd, durationMs: number): void {
    this.#waits.record(durationMs / 1000, { outcome })
  }

  #observe(meter: Meter, directory: InstanceDirectory, waitingNow: () => number): void {
    meter
      .createObservableCounter('pilotlight_upstream_calls_total', {
        description: 'Calls of functions sent to an instance, each attempt counted, or to the provider.',
      })
      .addCallback((result) => {
        result.observe(this.toInstances, { upstream: 'instance' })
        result.observe(this.toProvider, { upstream: 'provider' })
      })
    meter
      .createObservableCounter('pilotlight_slots_total', {
        description: 'Slots of instances that were given to this gateway for waiting calls, and given back unused.',
      })
      .addCallback((result) => {
        result.observe(this.slotsGranted, { event: 'granted' })
        result.observe(this.slotsGivenBack, { event: 'given_back' })
      })
    meter
      .createObservableGauge('pilotlight_slot_waiting_requests', {
        description: 'Calls that wait for a free slot of an instance now.',
      })
      .addCallback((result) => result.observe(waitingNow()))
    meter
      .createObservableGauge('pilotlight_instances', { description: 'Known instances of functions by their phase.' })
      .addCallback((result) => {
        const counts = { starting: 0, ready: 0, unready: 0, leaving: 0 }
        for (const { record } of directory.all()) counts[record.phase] += 1
        for (const phase of phases) result.observe(counts[phase], { phase })
      })
  }
}
