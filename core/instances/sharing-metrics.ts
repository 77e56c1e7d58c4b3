import type { ErrorCode } from '../errors/codes.ts'
import { GatewayError } from '../errors/gateway-error.ts'
import type { Meter } from '../telemetry/meter.ts'
import type { Acknowledged } from './acknowledgements.ts'
import { isOutdated } from './signed-report.ts'

/**
 * Why a record from the store does not count.
 * - `unsigned`: another key has signed it, or none
 * - `invalid`: it cannot be read, or is not of its entry
 * - `forbidden`: its address is outside of the networks
 * - `outdated`: it is too old, or a newer one is known
 * - `refused`: there are too many instances
 */
type RecordFault = 'unsigned' | 'invalid' | 'forbidden' | 'outdated' | 'refused'

const recordFaults: readonly RecordFault[] = ['unsigned', 'invalid', 'forbidden', 'outdated', 'refused']

/** Instruments of sharing what is known of instances. */
export class SharingMetrics {
  readonly #refused
  readonly #answers
  readonly #waits

  constructor(meter: Meter) {
    this.#refused = meter.createCounter('pilotlight_shared_instances_refused_total', {
      description: 'Records of instances from the shared store that do not count, by reason',
    })
    this.#answers = meter.createCounter('pilotlight_leave_acknowledgements_total', {
      description:
        'Other gateways that had to take a leaving instance out, by whether they said in time that they have',
    })
    this.#waits = meter.createHistogram('pilotlight_leave_acknowledgement_seconds', {
      description: 'Time until the other gateways had acknowledged that an instance leaves',
      advice: { explicitBucketBoundaries: [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1] },
    })
    // There from the start, so that the first increase can be seen.
    for (const reason of recordFaults) this.#refused.add(0, { reason })
    for (const answer of ['acknowledged', 'silent']) this.#answers.add(0, { answer })
  }

  /** A record from the store was not taken. @returns the reason, as it is counted */
  refusedRecord(error: unknown): RecordFault {
    const reason = faultOf(error)
    this.#refused.add(1, { reason })
    return reason
  }

  left({ acknowledged, silent }: Acknowledged, seconds: number): void {
    this.#answers.add(acknowledged, { answer: 'acknowledged' })
    this.#answers.add(silent, { answer: 'silent' })
    if (acknowledged + silent > 0) this.#waits.record(seconds)
  }
}

const faults: Partial<Record<ErrorCode, RecordFault>> = {
  unauthenticated: 'unsigned',
  forbidden: 'forbidden',
  overloaded: 'refused',
}

function faultOf(error: unknown): RecordFault {
  return isOutdated(error) ? 'outdated' : (faults[GatewayError.from(error).code] ?? 'invalid')
}
