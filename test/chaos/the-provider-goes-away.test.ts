import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { eventually, pause } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'

/** Longer than any time limit of a call to the provider, shorter than the patience of a wake. */
const awayMs = 1_500

describe('wakes outlast a provider', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it('that answers nobody for a while', async () => {
    await using run = await ChaosRun.begin(fleet)
    const name = run.load.deployCold(300)
    const held = fleet.gate.holdNext('scale', name)
    const answers = run.load.callEverywhere(name)
    await held.arrived

    await run.fault(async () => {
      fleet.gate.pause()
      await pause(awayMs)
      fleet.gate.resume()
      held.letGo()
      await answers
    })

    expectGood(await run.end('provider paused'))
  })

  it('that is restarted, all connections cut', async () => {
    await using run = await ChaosRun.begin(fleet)
    const name = run.load.deployCold(2_500)
    const answers = run.load.callEverywhere(name)
    await eventually('it to be scaled', () => fleet.provider.scales.of(name).length === 1)

    await run.fault(() => run.withoutProvider(awayMs))

    const calls = await answers
    expectGood(await run.end('provider restarted'))
    expect(calls.map(({ status }) => status)).toEqual(calls.map(() => 200))
  })
})
