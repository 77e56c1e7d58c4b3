import { directoriesAgree, violations, type Violation } from './invariants.ts'
import type { Plan } from './plan.ts'
import { World, type WorldVariant } from './world.ts'

/** A run that is over. */
export interface Explored {
  readonly plan: Plan
  readonly world: World
  /** The rules that it has broken. */
  readonly found: readonly Violation[]
}

/** Lives through a plan. */
export async function explore(plan: Plan, variant: WorldVariant = {}): Promise<Explored> {
  const world = new World(plan, variant)
  try {
    await world.live()
    const disagreements = directoriesAgree(world)
    await world.callOnceMore()
    return { plan, world, found: [...violations(world), ...disagreements] }
  } finally {
    world.end()
  }
}
