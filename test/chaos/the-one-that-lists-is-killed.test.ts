import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { callTogether, statuses } from '../support/callers.ts'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'

describe('a fleet whose lister of functions is killed', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it('has another one within seconds, and learns from it what runs', async () => {
    await using run = await ChaosRun.begin(fleet)
    const [lister] = await fleet.listers()
    if (lister === undefined) throw new Error('nobody lists')
    const others = fleet.gateways.filter((one) => one !== lister)

    await run.kill(lister)
    const successor = await eventually('another one to list', async () => (await fleet.listers())[0], 10_000)
    const name = run.load.deployRunning()
    for (const one of others) {
      const isKnown = async (): Promise<boolean> => (await one.metrics()).includes(`function_name="${name}"`)
      await eventually(`${one.name} to know of it`, isKnown)
    }
    const answers = await callTogether(10, `${fleet.cluster.url}/function/${name}`)
    await run.bringBack(lister)

    expectGood(await run.end('lister killed'))
    expect(statuses(answers)).toEqual({ 200: 10 })
    expect(fleet.provider.count('status', name)).toBe(0)
    expect((await fleet.listers()).map((one) => one.name)).toEqual([successor.name])
  })
})
