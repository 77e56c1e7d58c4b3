import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { MetricSource } from './metric-source.ts'
import { labelText } from './series/labels.ts'
import type { SeriesFamily } from './series/series-family.ts'
import { SeriesTable } from './series/series-table.ts'

/** The series that tells which functions there are. */
export const serviceCount = 'gateway_service_count'

const family: SeriesFamily = {
  name: serviceCount,
  help: 'Current count of replicas for function',
  type: 'gauge',
  boundaries: [],
  combine: 'most',
}

/**
 * Exports the desired replicas of every known function as `gateway_service_count`. A deleted function's series ends with the
 * next scrape, where an observable gauge of the SDK would remember it.
 */
export class ReplicaSeries implements MetricSource {
  readonly #directory: ReplicaDirectory

  constructor(deps: { directory: ReplicaDirectory }) {
    this.#directory = deps.directory
  }

  read(): readonly SeriesTable[] {
    const table = new SeriesTable(family)
    for (const { identity, desired } of this.#directory.known())
      table.set(table.add(labelText('function_name', identity.key)), desired)
    return [table]
  }
}
