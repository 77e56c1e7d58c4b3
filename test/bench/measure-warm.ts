import { gatewayName } from './contender.ts'
import { LineUp, undiciName } from './line-up.ts'
import type { Say } from './part.ts'
import { measureWarmPath, type WarmPlan } from './warm-path.ts'

/** Measures what one call of a running function costs, and says one table for each number of connections. */
export async function measureWarm(plan: WarmPlan, say: Say): Promise<void> {
  say(`\n## Warm path: 940-byte answers, ${plan.rounds} interleaved rounds of ${plan.seconds} s, medians\n`)
  const names = [gatewayName, 'http-proxy, bare', undiciName, 'nginx', 'haproxy', 'the upstream itself'] as const
  await using lineUp = await LineUp.start({ names })
  say(await measureWarmPath(lineUp.contenders, plan, gatewayName))
  for (const note of lineUp.notes) say(`\n${note}`)
}
