import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'
import { leaderWho, type Moment } from './leader-under-way.ts'

describe('another gateway finishes a wake whose leader is killed', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it.each<Moment>(['asks for the first status', 'asks for replicas', 'waits for readiness'])(
    'while it %s',
    async (moment) => {
      await using run = await ChaosRun.begin(fleet)
      const { name, leader, held, answers } = await leaderWho(moment, run)

      await run.kill(leader)
      held.lose()
      await answers
      await run.bringBack(leader)

      const evidence = await run.end(`leader killed while it ${moment}`)
      expectGood(evidence)
      expect(fleet.provider.scales.of(name)).toHaveLength(1)
      expect(evidence.takeOvers).toBeGreaterThan(0)
    },
  )
})
