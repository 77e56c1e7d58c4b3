import { median } from '../statistics.ts'

/** The median over rounds of the difference within a round: what `of` showed less what `to` showed; NaN where one is missing. */
export function medianAdded<S>(of: readonly S[], to: readonly S[], pick: (sample: S) => number): number {
  const figure = (sample: S | undefined): number => (sample === undefined ? Number.NaN : pick(sample))
  return median(of.map((one, round) => pick(one) - figure(to[round])))
}
