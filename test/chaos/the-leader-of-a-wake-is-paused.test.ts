import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { expectGood } from './expect-good.ts'
import { leaderWho } from './leader-under-way.ts'

describe('what a leader writes that was stopped for longer than its lease has no effect', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start()
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  /** Resolves when the callers at the gateways that run are answered, while those at the one that is stopped wait. */
  async function othersAnswer(run: ChaosRun, name: string, stopped: string): Promise<void> {
    const others = fleet.gateways.filter((one) => one.name !== stopped).map((one) => one.name)
    const entrances = (): readonly string[] => run.load.calls.filter((one) => one.name === name).map(({ via }) => via)
    await eventually('the others to answer', () => others.every((via) => entrances().includes(via)), 15_000)
    expect(entrances()).not.toContain(stopped)
  }

  it('neither its scale call, which the provider refuses for its older fence', async () => {
    await using run = await ChaosRun.begin(fleet)
    const { name, leader, held, answers } = await leaderWho('asks for replicas', run)

    await run.fault(async () => {
      leader.pause()
      await othersAnswer(run, name, leader.name)
      held.letGo()
      await eventually('the old call to be decided on', () => fleet.provider.scales.of(name).length === 2)
      leader.resume()
      await answers
    })

    const evidence = await run.end('leader paused while it asks for replicas')
    expectGood(evidence)
    expect(fleet.provider.scales.of(name).map(({ isAccepted }) => isAccepted)).toEqual([true, false])
    expect(evidence.takeOvers).toBeGreaterThan(0)
  })

  it('nor what it found out before, and it scales nothing when it goes on', async () => {
    await using run = await ChaosRun.begin(fleet)
    const { name, leader, held, answers } = await leaderWho('asks for the first status', run)

    await run.fault(async () => {
      leader.pause()
      // The answer waits for it in its socket: none wanted, none there.
      held.letGo()
      await othersAnswer(run, name, leader.name)
      leader.resume()
      await answers
    })

    const evidence = await run.end('leader paused while it asks for the first status')
    expectGood(evidence)
    expect(fleet.provider.scales.of(name)).toHaveLength(1)
    expect(evidence.takeOvers).toBeGreaterThan(0)
  })
})
