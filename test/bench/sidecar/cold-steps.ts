import { median } from '../statistics.ts'
import type { Stamp } from './stamps.ts'

/** The instants of a cold call, in their order, each with what it is that takes until then. */
export const coldSteps = {
  scale: 'call sent -> scale call at the provider',
  spawned: '-> process of the sidecar spawned',
  serving: '-> sidecar serves, and says so',
  told: '-> report taken by the gateway',
  released: '-> call forwarded',
  answered: '-> first byte of the answer',
} as const

/** Name of a step. */
export type ColdStep = keyof typeof coldSteps

/** Milliseconds that each step of one cold call took; NaN for what was not seen. */
export type ColdSplit = Readonly<Record<ColdStep, number>>

/** What the caller saw. Instants of the machine's clock. */
export interface ColdCall {
  readonly sentAtMs: number
  readonly answeredAtMs: number
}

const names = Object.keys(coldSteps) as ColdStep[] // of this very table

/** Reads what each step took from the stamps of gateway and provider: the first of each kind from the call on. */
export function splitOf({ sentAtMs, answeredAtMs }: ColdCall, stamps: readonly Stamp[]): ColdSplit {
  const after = stamps.filter((one) => one.atMs >= sentAtMs)
  const instants = names.map((name) => {
    if (name === 'answered') return answeredAtMs
    return after.find(({ event }) => event === name)?.atMs ?? Number.NaN
  })
  const took = names.map((name, at) => [name, (instants[at] ?? Number.NaN) - (instants[at - 1] ?? sentAtMs)] as const)
  return Object.fromEntries(took) as ColdSplit // one for each name
}

/** Median of each step, and the share of all steps that it has: of the sum of the medians, 0 to 1. */
export function coldShares(splits: readonly ColdSplit[]): readonly {
  readonly step: ColdStep
  readonly medianMs: number
  readonly maxMs: number
  readonly shareRatio: number
}[] {
  const medians = names.map((step) => median(splits.map((one) => one[step])))
  const total = medians.reduce((sum, one) => sum + one, 0)
  return names.map((step, at) => {
    const medianMs = medians[at] ?? Number.NaN
    return { step, medianMs, maxMs: Math.max(...splits.map((one) => one[step])), shareRatio: medianMs / total }
  })
}
