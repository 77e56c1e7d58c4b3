import type { SeriesFamily } from './series-family.ts'
import { SeriesTable } from './series-table.ts'

/** Most series of one family, in each process and in all of them together. */
export const maxSeriesPerFamily = 20_000

/** A table whose series are found by their labels. */
export class KeyedSeries {
  readonly table: SeriesTable
  readonly #places = new Map<string, number>()

  constructor(family: SeriesFamily) {
    this.table = new SeriesTable(family)
  }

  /** Whether there is no room for another series. */
  get isFull(): boolean {
    return this.#places.size >= maxSeriesPerFamily
  }

  /** Returns the place of a series that exists. */
  find(labels: string): number | undefined {
    return this.#places.get(labels)
  }

  /** Adds a series. @returns its place */
  add(labels: string): number {
    const at = this.table.add(labels)
    this.#places.set(labels, at)
    return at
  }

  /** Forgets a series; nothing happens when there is none with these labels. */
  remove(labels: string): void {
    const at = this.#places.get(labels)
    if (at === undefined) return
    this.#places.delete(labels)
    this.table.remove(at)
  }
}
