import fc from 'fast-check'
import { explore, type Explored } from './explore.ts'
import type { Violation } from './invariants.ts'
import { plans, type Plan, type PlanOptions } from './plan.ts'
import type { WorldVariant } from './world.ts'

const { PILOTLIGHT_MODEL_RUNS: runs, PILOTLIGHT_MODEL_SEED: seed, PILOTLIGHT_MODEL_PATH: path } = process.env

/** Runs of one search, unless `PILOTLIGHT_MODEL_RUNS` says otherwise. */
const usualRuns = 40
/** Time limit of a test that searches: for a failing run, most of it goes into looking for a shorter plan. */
export const searchLimitMs = Math.max(60_000, Number(runs ?? usualRuns) * 500)
/** Whether one run is looked at again, instead of a search. */
export const isReplay = path !== undefined

/** How to look for runs that break a rule. */
export interface Search extends PlanOptions {
  /** How many times the usual number of runs. Default 1. */
  readonly times?: number
  /** Told of every run; returns what it has broken besides the invariants. */
  readonly inspect?: (explored: Explored) => readonly Violation[]
}

/**
 * Looks for a run that breaks a rule, and fails with the shortest plan found, its seed and its path: given back by
 * `PILOTLIGHT_MODEL_SEED` and `PILOTLIGHT_MODEL_PATH`, with the same test alone, these begin with that plan. With
 * `PILOTLIGHT_MODEL_RUNS` and without a seed, every search sees other plans.
 */
export async function expectNoViolation({ inspect = () => [], times = 1, ...options }: Search): Promise<void> {
  const property = fc.asyncProperty(plans(options), async (plan) => {
    const explored = await explore(plan)
    const found = [...explored.found, ...inspect(explored)]
    if (found.length > 0) throw new Error(found.map(({ invariant, what }) => `${invariant}: ${what}`).join('\n'))
  })
  await fc.assert(property, {
    numRuns: Number(runs ?? usualRuns) * times,
    interruptAfterTimeLimit: searchLimitMs / 2,
    ...(runs === undefined || seed !== undefined ? { seed: Number(seed ?? 1) } : {}),
    ...(path === undefined ? {} : { path }),
  })
}

/** Looks for a run of a broken variant that breaks a rule, in a limited number of runs. */
export async function firstViolations(
  variant: WorldVariant,
  { inspect = () => [], ...options }: Search & { readonly mostRuns?: number },
): Promise<readonly Violation[]> {
  for (const plan of fc.sample(plans(options), { numRuns: options.mostRuns ?? 100, seed: 1 })) {
    const explored = await explore(plan, variant)
    const found = [...explored.found, ...inspect(explored)]
    if (found.length > 0) return found
  }
  return []
}

/** A plan of the usual kind, always the same one. */
export function somePlan(options: PlanOptions, number: number): Plan {
  const [plan] = fc.sample(plans(options), { numRuns: 1, seed: number })
  if (plan === undefined) throw new Error('invariant: one sample was asked for')
  return plan
}
