import type { DataPoint, MetricData } from '@opentelemetry/sdk-metrics'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Clock } from '../time/clock.ts'
import { gaugeData, toHrTime } from './metric-data.ts'
import type { MetricSource } from './metric-source.ts'

/**
 * Exports the desired replicas of every known function as `gateway_service_count`. A deleted function's series ends with the
 * next scrape, where an observable gauge of the SDK would remember it.
 */
export class ReplicaSeries implements MetricSource {
  readonly #directory: ReplicaDirectory
  readonly #clock: Clock

  constructor(deps: { directory: ReplicaDirectory; clock: Clock }) {
    this.#directory = deps.directory
    this.#clock = deps.clock
  }

  read(): readonly MetricData[] {
    const endTime = toHrTime(this.#clock.nowMs())
    const points: DataPoint<number>[] = []
    for (const { identity, desired } of this.#directory.known()) {
      points.push({ attributes: { function_name: identity.key }, startTime: endTime, endTime, value: desired })
    }
    return [gaugeData('gateway_service_count', 'Current count of replicas for function', points)]
  }
}
