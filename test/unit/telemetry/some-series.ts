import type { SeriesFamily, SeriesSlice } from '../../../core/telemetry/series/series-family.ts'
import { SeriesTable } from '../../../core/telemetry/series/series-table.ts'

/** A family of gauges, unless a test says otherwise. */
export function someFamily(family: Partial<SeriesFamily> = {}): SeriesFamily {
  return { name: 'some', help: 'x', type: 'gauge', boundaries: [], combine: 'each', ...family }
}

/** Series by their labels. */
export type SeriesByLabels = Readonly<Record<string, readonly number[]>>

/** A table with these series. */
export function seriesTable(family: Partial<SeriesFamily>, series: SeriesByLabels): SeriesTable {
  const table = new SeriesTable(someFamily(family))
  for (const [labels, numbers] of Object.entries(series)) table.addAll(table.add(labels), Float64Array.from(numbers), 0)
  return table
}

/** The series of a table or a slice. */
export function seriesIn(of: SeriesTable | SeriesSlice): SeriesByLabels {
  const { labels, values } = of instanceof SeriesTable ? of.slice(0, of.end) : of
  const width = values.length / labels.length
  return Object.fromEntries(
    labels.map((text, index) => [text, [...values.subarray(index * width, (index + 1) * width)]]),
  )
}
