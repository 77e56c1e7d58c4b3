import { KeyedSeries } from '../series/keyed-series.ts'
import type { SeriesSlice } from '../series/series-family.ts'
import type { SeriesTable } from '../series/series-table.ts'
import { isWrittenAlike } from '../prometheus-text.ts'
import { maxFamilies } from './merged-totals.ts'

/** What one process says of the present, as its last whole report had it. */
export class ReportedGauges {
  #current: ReadonlyMap<string, KeyedSeries> = new Map()
  #coming = new Map<string, KeyedSeries>()
  #report = 0

  /** Takes a slice of a report. @returns false when some of it has no place */
  hear(report: number, { family, labels, values }: SeriesSlice): boolean {
    if (report !== this.#report) this.#begin(report)
    const series = this.#coming.get(family.name) ?? new KeyedSeries(family)
    if (!isWrittenAlike(series.table.family, family) || this.#coming.size >= maxFamilies) return false
    this.#coming.set(family.name, series)
    let fits = true
    for (const [index, text] of labels.entries()) {
      const at = series.find(text) ?? (series.isFull ? undefined : series.add(text))
      if (at === undefined) fits = false
      else series.table.set(at, values[index] ?? 0)
    }
    return fits
  }

  /** A report is whole: it takes the place of the one before. */
  end(report: number): void {
    if (report !== this.#report) this.#begin(report)
    this.#current = this.#coming
    this.#coming = new Map()
  }

  tables(): readonly SeriesTable[] {
    return Array.from(this.#current.values(), ({ table }) => table)
  }

  /** The series of one name. */
  table(name: string): SeriesTable | undefined {
    return this.#current.get(name)?.table
  }

  #begin(report: number): void {
    this.#report = report
    this.#coming = new Map()
  }
}
