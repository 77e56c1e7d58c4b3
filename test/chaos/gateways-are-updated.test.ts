import { afterAll, beforeAll, describe, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'

describe('gateways that are restarted one after the other', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it('cost no caller of the balancer a call, and no wake a second scale call', async () => {
    await using run = await ChaosRun.begin(fleet, { entrances: fleet.entrances.slice(0, 1) })

    await fleet.cluster.roll()

    expectGood(await run.end('all gateways restarted one after the other'))
  })
})
