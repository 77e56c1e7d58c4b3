import { availableParallelism } from 'node:os'
import { findProgram } from '../../../deploy/cluster/find-program.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { type FleetColdPlan, measureFleetColdStarts } from './cold-starts.ts'
import { type ManyPlan, measureManyFunctions } from './many-functions.ts'
import { measureTakeOvers, type TakeOverPlan } from './take-over.ts'
import { type FleetWarmPlan, measureFleetWarmPath } from './warm-path.ts'

/** What to measure of several gateways. */
export interface FleetPlan {
  readonly cold: FleetColdPlan
  readonly many: ManyPlan
  readonly takeOver: TakeOverPlan
  readonly warm: FleetWarmPlan
}

/** Whether several gateways can be measured on this machine. */
export function hasRedis(): boolean {
  return findProgram('redis-server') !== undefined
}

/** One sentence about who shares the CPUs. */
export const sharingNote = `${availableParallelism()} CPUs shared by all gateways, provider, Redis and callers, nothing pinned but on the warm path`

/** Measures what several gateways do together, and says each table as soon as it is there. */
export async function measureFleet(
  { cold, many, takeOver, warm }: FleetPlan,
  say: (text: string) => void,
): Promise<void> {
  {
    await using redis = await startRedis()
    say(`### ${cold.callers} callers over ${cold.gateways} gateways, one function at zero\n`)
    say(await measureFleetColdStarts(cold, redis.url))
  }
  {
    await using redis = await startRedis()
    say(`\n### ${many.functions} functions at once, ready after ${many.readyAfterMs} ms\n`)
    say(await measureManyFunctions(many, redis.url))
  }
  {
    await using redis = await startRedis()
    say(`\n### The gateway that wakes a function is killed\n`)
    say(await measureTakeOvers(takeOver, redis.url))
  }
  say(
    `\n### Warm path, ${warm.rounds} interleaved rounds of ${warm.seconds} s, ${warm.connections} connections a gateway\n`,
  )
  say(await measureFleetWarmPath(warm))
}
