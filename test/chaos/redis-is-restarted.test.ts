import { afterAll, beforeAll, describe, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { eventually, pause } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'

describe('a Redis that is killed and comes back empty in the middle of wakes costs nobody a call', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it.each([
    ['at once', 0],
    ['after longer than a lease', 2_000],
  ])('%s', async (when, awayMs) => {
    await using run = await ChaosRun.begin(fleet)
    const name = run.load.deployCold(1_000)
    const answers = run.load.callEverywhere(name)
    await eventually('a wake to be under way', () => fleet.provider.scales.of(name).length > 0)

    await run.fault(async () => {
      await fleet.redis.kill()
      await pause(awayMs)
      await fleet.redis.start()
      await fleet.isWhole()
    })
    await answers
    await pause(300) // load goes on with the new Redis

    expectGood(await run.end(`Redis restarted ${when}`, { decidedAlone: true }))
  })
})
