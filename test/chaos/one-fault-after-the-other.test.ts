import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { isLong, seed, steps } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { pause } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'
import { planOf } from './random-faults.ts'

/** Load without a fault, between two of them. */
const restMs = isLong ? 500 : 100

describe('one fault after the other, in an order that a seed decides', () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start({ hasWires: true })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it('is the same for the same seed', () => {
    const titles = (of: number): readonly string[] => planOf(of, 30).map(({ title }) => title)

    expect(titles(seed)).toEqual(titles(seed))
    expect(titles(seed)).not.toEqual(titles(seed + 1))
  })

  it('costs nobody a call but those that nobody could keep', async () => {
    process.stdout.write(`PILOTLIGHT_CHAOS_SEED=${seed} PILOTLIGHT_CHAOS_STEPS=${steps}\n`)
    await using run = await ChaosRun.begin(fleet)

    for (const step of planOf(seed, steps)) {
      process.stdout.write(`${(run.ageMs / 1000).toFixed(1).padStart(7)} s  ${step.title}\n`)
      await run.fault(() => step.inject(run))
      await fleet.isWhole()
      await pause(restMs)
    }

    expectGood(await run.end(`${steps} faults one after the other, seed ${seed}`, { decidedAlone: true }))
  }, 900_000)
})
