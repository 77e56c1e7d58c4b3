import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { ChaosFleet } from '../support/chaos-fleet.ts'
import { repeats } from '../support/chaos-form.ts'
import { ChaosRun } from '../support/chaos-run.ts'
import { pause } from '../support/eventually.ts'
import type { FaultMode } from '../support/fault-proxy.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { nameIn, type ProviderCall } from '../support/scripted-provider.ts'
import { expectGood } from './expect-good.ts'
import { leaderWho, slowMs } from './leader-under-way.ts'

/** Longer than a lease lives. */
const cutMs = 1_800

describe('a gateway that is cut off from Redis in the middle of a wake', { repeats }, () => {
  guardAgainstLeaks('file')
  let fleet: ChaosFleet
  beforeAll(async () => {
    fleet = await ChaosFleet.start({ hasWires: true })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  it.each<[string, FaultMode]>([
    ['nothing arrives either way', { kind: 'blackHole' }],
    ['its commands are lost', { kind: 'halfOpen', lost: 'toServer' }],
    ['its answers are lost', { kind: 'halfOpen', lost: 'toClient' }],
  ])('costs nobody a call when it leads and %s', async (what, mode) => {
    await using run = await ChaosRun.begin(fleet)
    const { leader, held, answers } = await leaderWho('asks for replicas', run, 1_000)
    const wire = fleet.wireOf(leader)

    await run.fault(async () => {
      await wire.set(mode)
      held.letGo()
      await pause(cutMs)
      await wire.set({ kind: 'pass' })
      await fleet.isWhole()
    })
    await answers
    await pause(300) // load goes on with everybody back

    const evidence = await run.end(`leader cut off from Redis: ${what}`, { decidedAlone: true })
    expectGood(evidence)
    expect(wire.counts.lost).toBeGreaterThan(0)
  })

  it('has no effect by what it wrote as a leader and arrives after another one has led', async () => {
    await using run = await ChaosRun.begin(fleet)
    const { name, leader, held, answers } = await leaderWho('asks for the first status', run, slowMs)

    await run.fault(async () => {
      await fleet.wireOf(leader).set('stall')
      held.letGo()
      await answers
      await pause(cutMs)
      await fleet.wireOf(leader).set('pass')
      await fleet.isWhole()
    })

    const evidence = await run.end('leader cut off from Redis: it writes late', { decidedAlone: true })
    expectGood(evidence)
    expect(evidence.takeOvers).toBeGreaterThan(0)
    expect(evidence.records.olderFences.filter((one) => one.includes(`"${name}"`))).toEqual([])
  })

  it('keeps for itself afterwards what it could not wake, when another one could meanwhile', async () => {
    const lonely = fleet.cluster.gateway(1)
    await using run = await ChaosRun.begin(fleet, { entrances: fleet.entrances.slice(2) })
    const name = run.load.deployCold(300)
    const isListing = ({ kind }: ProviderCall): boolean => kind === 'list'

    const alone = await run.fault(async () => {
      await fleet.wireOf(lonely).set('blackHole')
      fleet.gate.loseThose((one) => isListing(one) || nameIn(one.target) === name)
      const answer = await call(`${lonely.url}/function/${name}`)
      fleet.gate.loseThose(isListing)
      await run.load.callEverywhere(name)
      await fleet.wireOf(lonely).set('pass')
      await fleet.isWhole()
      return answer
    })
    const after = await Promise.all([call(`${lonely.url}/function/${name}`), run.load.callEverywhere(name)])
    fleet.gate.open()

    expectGood(await run.end('gateway cut off from Redis fails alone', { decidedAlone: true }))
    expect(alone.status).toBe(503)
    expect(after[0].status).toBe(200)
  })
})
