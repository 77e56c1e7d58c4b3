import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { functionIdentity, type FunctionState, type Lease } from '#core'
import { eventually } from '../../support/eventually.ts'
import type { FleetGateway } from '../../support/fleet-gateway.ts'

/** Gateways that share one store. */
export interface FleetUnderTest extends AsyncDisposable {
  /** Adds one to the fleet and starts it. */
  join(): Promise<FleetGateway>
  /** Lets the time pass that messages may take, where it does not pass by itself. */
  settle?(): Promise<void>
}

const echo = functionIdentity('echo', 'fn')
const never = new AbortController().signal

function stateOf(changed: Partial<FunctionState> = {}): FunctionState {
  return {
    identity: echo,
    phase: 'waking',
    desired: 1,
    available: 0,
    min: 1,
    max: 5,
    fence: 0,
    observedAtMs: Date.now(),
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: { team: 'one' },
    annotations: { topic: 'a,b' },
    ...changed,
  }
}

/** What several gateways of one fleet may expect of each other. `make` is called before each test. */
export function describeFleet(name: string, make: () => Promise<FleetUnderTest>): void {
  describe(`a fleet on ${name}`, () => {
    let fleet: FleetUnderTest
    let one: FleetGateway
    let other: FleetGateway
    beforeEach(async () => {
      fleet = await make()
      one = await fleet.join()
      other = await fleet.join()
    })
    afterEach(() => fleet[Symbol.asyncDispose]())

    const settles = (what: string, probe: () => boolean): Promise<boolean> =>
      eventually(what, async () => {
        await fleet.settle?.()
        return probe()
      })
    const lead = async (gateway: FleetGateway): Promise<Lease> => {
      const acquired = await gateway.fleet.leases.acquire(echo)
      if (acquired.role === 'leader') return acquired.lease
      throw new Error('somebody else leads')
    }
    const phaseAt = (gateway: FleetGateway) => gateway.directory.get(echo.key)?.phase

    it('has one leader per function', async () => {
      const answers = await Promise.all([one, other].map((gateway) => gateway.fleet.leases.acquire(echo)))

      expect(answers.map(({ role }) => role).toSorted()).toEqual(['follower', 'leader'])
    })

    it('carries every field of what a leader publishes to the others, but for its clock', async () => {
      const { fence } = await lead(one)
      await one.fleet.leases.publish(stateOf({ fence, phase: 'ready', available: 1 }))
      await settles('the other to hear', () => phaseAt(other) === 'ready')

      expect(other.directory.get(echo.key)).toEqual({
        ...stateOf({ fence, phase: 'ready', available: 1 }),
        observedAtMs: expect.any(Number),
      })
    })

    it('has the others wait for a failure as long as the leader says', async () => {
      const { fence } = await lead(one)
      const retryAtMs = one.directory.get(echo.key)?.observedAtMs ?? Date.now() + 5_000
      await one.fleet.leases.publish(stateOf({ fence, phase: 'failed', reason: 'no "image"', retryAtMs, failures: 3 }))
      await settles('the other to hear', () => phaseAt(other) === 'failed')

      expect(other.directory.get(echo.key)).toMatchObject({ reason: 'no "image"', failures: 3 })
    })

    it('ends the waiting of followers when the leader gives its lease up', async () => {
      const lease = await lead(one)
      const followed = await other.fleet.leases.acquire(echo)
      if (followed.role === 'leader') throw new Error('two leaders')
      let isOver = false
      const waiting = followed.again(never).then(() => (isOver = true))

      await one.fleet.leases.release(lease)
      await settles('the wait to end', () => isOver)

      await waiting
      expect((await other.fleet.leases.acquire(echo)).role).toBe('leader')
    })

    it('refuses what an old leader publishes, and tells it what stands', async () => {
      const old = await lead(one)
      await one.fleet.leases.release(old)
      const { fence } = await lead(other)
      await other.fleet.leases.publish(stateOf({ fence, phase: 'ready', available: 1 }))

      const accepted = await one.fleet.leases.publish(stateOf({ fence: old.fence, phase: 'zero' }))

      expect(accepted).toBe(false)
      expect(one.directory.get(echo.key)).toMatchObject({ phase: 'ready', fence })
    })

    it('tells who joins later what the others know', async () => {
      await one.fleet.shared.observe(stateOf({ phase: 'ready', available: 2 }))

      const late = await fleet.join()

      expect(late.directory.get(echo.key)).toMatchObject({ phase: 'ready', available: 2, labels: { team: 'one' } })
    })

    it('publishes an observation once, however often it is made', async () => {
      await one.fleet.shared.observe(stateOf())
      await settles('the other to hear', () => phaseAt(other) === 'waking')
      await one.fleet.shared.observe(stateOf({ observedAtMs: Date.now() + 5 }))
      await other.fleet.shared.observe(stateOf({ observedAtMs: Date.now() + 6 }))
      await one.fleet.shared.observe(stateOf({ phase: 'ready', available: 1 }))
      await settles('the other to hear', () => phaseAt(other) === 'ready')

      expect(await other.metricLines('pilotlight_publications_total')).toEqual([
        'pilotlight_publications_total{direction="sent"} 0',
        'pilotlight_publications_total{direction="received"} 2',
      ])
      expect(await other.metricLines('pilotlight_publication_gaps_total')).toEqual([
        'pilotlight_publication_gaps_total 0',
      ])
    })

    it('drops an observation that another gateway has overtaken', async () => {
      await one.fleet.shared.observe(stateOf())
      await settles('the other to hear', () => phaseAt(other) === 'waking')

      await Promise.all([
        one.fleet.shared.observe(stateOf({ phase: 'ready', available: 1 })),
        other.fleet.shared.observe(stateOf({ phase: 'zero', desired: 0 })),
      ])

      const winner = await settles('both to agree', () => phaseAt(one) === phaseAt(other) && phaseAt(one) !== 'waking')
      expect(winner).toBe(true)
    })

    it('forgets a function everywhere', async () => {
      await one.fleet.shared.observe(stateOf())
      await settles('the other to hear', () => other.directory.knows(echo.key))

      await other.fleet.shared.forget(echo)
      await settles('the first to forget', () => !one.directory.knows(echo.key))

      const late = await fleet.join()
      expect(late.directory.knows(echo.key)).toBe(false)
    })

    it('releases with an announcement of readiness what any gateway holds, whatever was known before', async () => {
      const { fence } = await lead(one)
      const retryAtMs = Date.now() + 30_000
      await one.fleet.leases.publish(stateOf({ fence, phase: 'failed', reason: 'crash', retryAtMs, failures: 2 }))

      await other.fleet.shared.announceReady(echo, 3)
      await settles('the first to hear', () => phaseAt(one) === 'ready')

      expect(one.directory.get(echo.key)).toMatchObject({
        available: 3,
        failures: 0,
        reason: '',
        labels: { team: 'one' },
      })
    })

    it('gives a role to one gateway, and to another one when that leaves', async () => {
      const first = await one.fleet.election.leads('feed', 60_000)
      const second = await other.fleet.election.leads('feed', 60_000)
      const again = await one.fleet.election.leads('feed', 60_000)

      await one[Symbol.asyncDispose]()

      expect([first, second, again]).toEqual([true, false, true])
      expect(await other.fleet.election.leads('feed', 60_000)).toBe(true)
    })
  })
}
