/**
 * How the series of several processes become one page.
 * - `add`: they count events, and add up; what a process counted stays counted when it has ended
 * - `sum`: they say how much there is now, and add up over the processes that live
 * - `most`: they say the same of something that all processes share; the largest value counts
 * - `each`: they describe one process, and are told apart by a label
 */
export type Combine = 'add' | 'sum' | 'most' | 'each'

/** What the series under one name have in common. */
export interface SeriesFamily {
  /** As it is written: legal for Prometheus, with the suffix that it shall have. */
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
  /** Upper bounds of a histogram's buckets, ascending, without +Inf; empty for the other types. */
  readonly boundaries: readonly number[]
  readonly combine: Combine
}

/** How many numbers one series has: its value, or the count of each bucket (the last one up to +Inf) and the sum. */
export function valuesPerSeries({ type, boundaries }: Pick<SeriesFamily, 'type' | 'boundaries'>): number {
  return type === 'histogram' ? boundaries.length + 2 : 1
}

/** Some series of one family: labels as text, and the numbers of each, one series after the other. */
export interface SeriesSlice {
  readonly family: SeriesFamily
  readonly labels: readonly string[]
  readonly values: Float64Array
}
