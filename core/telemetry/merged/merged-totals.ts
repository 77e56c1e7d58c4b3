import type { Clock } from '../../time/clock.ts'
import { forgetAfterMs, invocationTotal } from '../invocation-cells.ts'
import { isWrittenAlike } from '../prometheus-text.ts'
import { KeyedSeries } from '../series/keyed-series.ts'
import { functionIn } from '../series/labels.ts'
import type { SeriesFamily, SeriesSlice } from '../series/series-family.ts'
import type { SeriesTable } from '../series/series-table.ts'

/** Most names of series, in all processes together. */
export const maxFamilies = 1_000

/**
 * The counters and histograms of all processes, those that have ended included. Processes report what was added since they last
 * did, so that no sum ever falls, whoever hangs, dies or is replaced.
 *
 * The series of a function are forgotten an hour after the last addition to one of them, unless somebody knows the function;
 * series of no function stay.
 */
export class MergedTotals {
  readonly #clock: Clock
  readonly #families = new Map<string, Totals>()
  readonly #functions = new Map<string, FunctionTotals>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  /** Adds what was counted. @returns false when some of it has no place: too many series, or others of that name differ in kind */
  add({ family, labels, values }: SeriesSlice): boolean {
    const totals = this.#totalsOf(family)
    if (totals === undefined) return false
    const nowMs = this.#clock.monotonicMs()
    const { series, owners } = totals
    let fits = true
    for (const [index, text] of labels.entries()) {
      const at = series.find(text) ?? this.#addSeries(totals, text)
      if (at === undefined) fits = false
      else {
        series.table.addAll(at, values, index * series.table.width)
        const owner = owners.get(at)
        if (owner !== undefined) owner.wantedAtMs = nowMs
      }
    }
    return fits
  }

  /** All series. */
  tables(): readonly SeriesTable[] {
    return Array.from(this.#families.values(), ({ series }) => series.table)
  }

  /** Ended calls by function. */
  invocations(): ReadonlyMap<string, number> {
    const counts = new Map<string, number>()
    const totals = this.#families.get(invocationTotal)
    if (totals === undefined) return counts
    const { values } = totals.series.table
    for (const [at, { name }] of totals.owners) counts.set(name, (counts.get(name) ?? 0) + (values[at] ?? 0))
    return counts
  }

  /** Forgets the functions that `knows` denies and whose series stood still for an hour. */
  forgetUnknown(knows: (functionName: string) => boolean): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, one] of this.#functions) {
      if (knows(name)) one.wantedAtMs = nowMs
      else if (nowMs - one.wantedAtMs > forgetAfterMs) this.#forget(one)
    }
  }

  #totalsOf(family: SeriesFamily): Totals | undefined {
    const known = this.#families.get(family.name)
    if (known !== undefined) return isWrittenAlike(known.series.table.family, family) ? known : undefined
    if (this.#families.size >= maxFamilies) return undefined
    const totals = { series: new KeyedSeries(family), owners: new Map<number, FunctionTotals>() }
    this.#families.set(family.name, totals)
    return totals
  }

  #addSeries({ series, owners }: Totals, labels: string): number | undefined {
    if (series.isFull) return undefined
    const at = series.add(labels)
    const name = functionIn(labels)
    if (name === undefined) return at
    const owner = this.#functions.get(name) ?? { name, wantedAtMs: 0, series: [] }
    this.#functions.set(name, owner)
    owner.series.push({ totals: { series, owners }, labels, at })
    owners.set(at, owner)
    return at
  }

  #forget({ name, series }: FunctionTotals): void {
    this.#functions.delete(name)
    for (const { totals, labels, at } of series) {
      totals.series.remove(labels)
      totals.owners.delete(at)
    }
  }
}

interface Totals {
  readonly series: KeyedSeries
  /** The function that a series is about, by its place. */
  readonly owners: Map<number, FunctionTotals>
}

/** What belongs to one function. */
interface FunctionTotals {
  readonly name: string
  /** Monotonic time at which something was added, or the function was known. */
  wantedAtMs: number
  readonly series: { readonly totals: Totals; readonly labels: string; readonly at: number }[]
}
