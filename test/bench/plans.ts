import type { ColdPlan } from './cold-start.ts'
import type { FieldPlan } from './fleet/field.ts'
import type { FleetPlan } from './fleet/measure-fleet.ts'
import type { WarmPlan } from './warm-path.ts'

/** How much of everything is measured. */
export interface Plans {
  readonly warm: WarmPlan
  readonly cold: ColdPlan
  readonly fleet: FleetPlan
  readonly field: FieldPlan
}

const gateways = 3

/** What counts. */
export const fullPlans: Plans = {
  warm: { rounds: 7, seconds: 2, connections: [1, 50, 300] },
  cold: { rounds: 10, callers: 300, readyAfterMs: [5, 50, 500] },
  fleet: {
    cold: {
      gateways,
      callers: 300,
      delays: [
        { readyAfterMs: 5, rounds: 50 },
        { readyAfterMs: 50, rounds: 50 },
        { readyAfterMs: 500, rounds: 50 },
        { readyAfterMs: 2000, rounds: 25 },
      ],
      referenceRounds: 20,
    },
    many: { gateways, rounds: 5, functions: 100, readyAfterMs: 500 },
    takeOver: { gateways, rounds: 10, callersPerGateway: 100, readyAfterMs: 3000 },
    warm: { gateways, rounds: 9, seconds: 2, connections: 32 },
  },
  field: { gateways, connections: 300, seconds: 60, readyAfterMs: 500, scaleTakesMs: 10 },
}

/** Shows that the benchmark works. */
export const quickPlans: Plans = {
  warm: { rounds: 2, seconds: 1, connections: [50] },
  cold: { rounds: 2, callers: 300, readyAfterMs: [5, 50] },
  fleet: {
    cold: {
      gateways,
      callers: 300,
      delays: [
        { readyAfterMs: 5, rounds: 3 },
        { readyAfterMs: 500, rounds: 3 },
      ],
      referenceRounds: 2,
    },
    many: { gateways, rounds: 1, functions: 100, readyAfterMs: 500 },
    takeOver: { gateways, rounds: 2, callersPerGateway: 100, readyAfterMs: 3000 },
    warm: { gateways, rounds: 2, seconds: 1, connections: 32 },
  },
  field: { gateways, connections: 300, seconds: 10, readyAfterMs: 500, scaleTakesMs: 10 },
}
