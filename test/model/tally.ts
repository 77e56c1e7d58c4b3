import type { World } from './world.ts'

/** What must have happened in some run, or the search has looked at nothing that matters. */
export const occurrences = [
  'a wake for several gateways',
  'a call released by another gateway',
  'a call refused',
  'a function woken twice',
  'a lease taken over',
  'a stale fence refused by the provider',
  'a scale call repeated',
  'a scale call without effect',
  'a gateway alone',
  'a fence given out by a gateway alone',
] as const

/** One of {@link occurrences}. */
export type Occurrence = (typeof occurrences)[number]

/** Counts what happened in runs. */
export class Tally {
  readonly #counts = new Map<Occurrence, number>()

  /** How often something happened. */
  count(occurrence: Occurrence): number {
    return this.#counts.get(occurrence) ?? 0
  }

  /** Takes a run into account. */
  add(world: World): void {
    const { grants } = world.records
    const { writes } = world.provider
    const holds = world.gateways.flatMap((gateway) => gateway.holds)
    const granted = new Set(grants.map(({ fence }) => fence))
    const effective = writes.filter(({ outcome }) => outcome === 'effective')
    const scaling = new Set(effective.map(({ gateway }) => gateway))
    this.#note('a lease taken over', grants.filter(({ tookOver }) => tookOver).length)
    this.#note('a stale fence refused by the provider', writes.filter(({ outcome }) => outcome === 'refused').length)
    this.#note('a scale call repeated', writes.filter(({ outcome }) => outcome === 'repeated').length)
    this.#note('a scale call without effect', writes.filter(({ outcome }) => outcome === 'ignored').length)
    this.#note('a function woken twice', effective.filter(({ epoch }) => epoch > 1).length)
    this.#note('a gateway alone', world.gateways.filter(({ alone }) => alone.length > 1).length)
    this.#note('a fence given out by a gateway alone', writes.filter(({ fence }) => !granted.has(fence)).length)
    this.#note('a call refused', holds.filter(({ ending }) => ending !== undefined && ending !== 'released').length)
    const elsewhere = holds.filter(({ gateway, ending }) => ending === 'released' && !scaling.has(gateway))
    this.#note('a call released by another gateway', elsewhere.length)
    this.#note('a wake for several gateways', new Set(holds.map(({ gateway }) => gateway)).size > 1 ? 1 : 0)
  }

  #note(occurrence: Occurrence, times: number): void {
    this.#counts.set(occurrence, this.count(occurrence) + times)
  }
}
