import type { SeriesTable } from './series/series-table.ts'

/** Somebody who keeps series: read for every page, and for every report of a worker. */
export interface MetricSource {
  /** The series as they stand. They may go on changing while they are written. */
  read(): readonly SeriesTable[]
}
