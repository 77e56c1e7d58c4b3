import { describe, expect, it } from 'vitest'
import { explore, type Explored } from './explore.ts'
import { blemishes, type Violation } from './invariants.ts'
import type { Trouble } from './plan.ts'
import { expectNoViolation, isReplay, searchLimitMs, somePlan } from './search.ts'
import { occurrences, Tally } from './tally.ts'

const everything: readonly Trouble[] = [
  'gateways',
  'overtaken leaders',
  'connections',
  'store',
  'failovers',
  'provider',
  'deployments',
  'false announcements',
]

describe('waking by several gateways, over all that was tried', { timeout: searchLimitMs }, () => {
  it('makes one scale call for each wake and serves every call soon while nothing is wrong', () =>
    expectNoViolation({ troubles: [], isCalm: true, inspect: flawless }))

  it('survives gateways that pause or die, leaders among them', () =>
    expectNoViolation({ troubles: ['gateways', 'overtaken leaders'] }))

  it('survives lost, late and reordered messages', () => expectNoViolation({ troubles: ['connections'] }))

  it('survives a store that is away, forgets, or fails over', () =>
    expectNoViolation({ troubles: ['store', 'failovers'] }))

  it('survives a provider that is away, deaf or unwilling, and functions that come and go', () =>
    expectNoViolation({ troubles: ['provider', 'deployments', 'false announcements'] }))

  it('survives everything at once, and has seen what matters', async () => {
    const tally = new Tally()

    await expectNoViolation({
      troubles: everything,
      times: 3,
      inspect: ({ world }) => {
        tally.add(world)
        return []
      },
    })

    if (!isReplay) expect(occurrences.filter((one) => tally.count(one) === 0)).toEqual([])
  })

  it('runs a plan in the same way each time', async () => {
    const plan = somePlan({ troubles: everything }, 7)

    const [one, other] = [await explore(plan), await explore(plan)]

    expect(storyOf(one).length).toBeGreaterThan(20)
    expect(storyOf(other)).toEqual(storyOf(one))
  })
})

function flawless({ world, plan: { mostReadyMs } }: Explored): readonly Violation[] {
  return blemishes(world, 1_000 + 2 * mostReadyMs)
}

/** All that left a trace. */
function storyOf({ world }: Explored): readonly unknown[] {
  const calls = world.gateways.flatMap((gateway) => gateway.calls.map(({ endedMs, ending }) => ({ endedMs, ending })))
  return [...world.records.grants, ...world.provider.writes, ...world.server.published, ...calls]
}
