import { median } from './statistics.ts'

/** What each contender showed, by its name, one sample a round. */
export type Samples<S> = ReadonlyMap<string, readonly S[]>

/**
 * Takes a sample of each contender in turn, round after round, so that whatever slows the machine for a while slows all of
 * them; who begins changes from round to round.
 */
export async function inTurns<C extends { readonly name: string }, S>(
  contenders: readonly C[],
  rounds: number,
  sample: (contender: C, round: number) => Promise<S>,
): Promise<Samples<S>> {
  const samples = new Map<string, S[]>(contenders.map((one) => [one.name, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const one of rotated(contenders, round)) samples.get(one.name)?.push(await sample(one, round))
  }
  return samples
}

/** The median over rounds of the ratio within a round: what `of` showed over what `to` showed; NaN where one is missing. */
export function medianRatio<S>(of: readonly S[], to: readonly S[], pick: (sample: S) => number): number {
  const missing = Number.NaN
  const figure = (sample: S | undefined): number => (sample === undefined ? missing : pick(sample))
  return median(of.map((one, round) => pick(one) / figure(to[round])))
}

/** The median over rounds. */
export function medianOf<S>(samples: readonly S[], pick: (sample: S) => number): number {
  return median(samples.map(pick))
}

/** The sum over rounds. */
export function totalOf<S>(samples: readonly S[], pick: (sample: S) => number): number {
  return samples.reduce((sum, one) => sum + pick(one), 0)
}

function rotated<T>(items: readonly T[], by: number): readonly T[] {
  const at = by % items.length
  return [...items.slice(at), ...items.slice(0, at)]
}
