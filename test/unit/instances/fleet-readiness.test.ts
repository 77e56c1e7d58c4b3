import { describe, expect, it } from 'vitest'
import { GatewayError } from '#core'
import type { SimulatedInstances } from './simulated-gateways.ts'
import { SimulatedGateways } from './simulated-gateways.ts'

/** How often a gateway has published that the function is ready. */
function announcements({ store }: SimulatedInstances, { server }: SimulatedGateways): number {
  return server.published.filter(
    (change) => change.kind === 'state' && change.origin === store.origin && change.body.includes('"phase":"ready"'),
  ).length
}

describe('FleetInstances and readiness', () => {
  it('have a function announced as ready when its first instance is, after all gateways know that one', async () => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({}, {})
    const seen: (readonly string[])[] = []
    other.knowFunction()
    other.directory.subscribe(({ phase }) => void (phase === 'ready' && seen.push(other.ready)))

    await one.take({ phase: 'starting' })
    const before = other.phase
    await one.take({ phase: 'ready' })
    await fleet.clock.advance(1)

    expect(before).toBe('waking')
    expect([one.phase, other.phase]).toEqual(['ready', 'ready'])
    expect(seen[0]).toEqual(['a'])
  })

  it('release what is held as soon as they know the instance, before the store has answered', async () => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({}, {})
    one.knowFunction()
    other.knowFunction('zero')

    const taken = one.take({ phase: 'ready' })

    expect(one.phase).toBe('ready')
    await taken
    await fleet.clock.advance(1)
    expect([other.phase, other.directory.get('echo.fn')?.available]).toEqual(['ready', 1])
  })

  it('announce nothing for further instances, for heartbeats, and when a function begins anew', async () => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({}, {})
    const count = (): number => announcements(one, fleet) + announcements(other, fleet)
    await one.take({ id: 'a', revision: 1 })
    await fleet.clock.advance(1)
    const first = count()

    await one.take({ id: 'b', revision: 1 })
    await one.take({ id: 'a', revision: 1 })
    await other.take({ id: 'c', revision: 1 })
    await other.take({ id: 'c', revision: 1 })
    const further = count()
    for (const id of ['a', 'b', 'c']) await one.take({ id, revision: 2, phase: 'unready' })
    await one.take({ id: 'a', revision: 3 })
    await fleet.clock.advance(1)

    expect([first, further, count()]).toEqual([1, 1, 2])
    expect(one.directory.get('echo.fn')?.available).toBe(1)
  })

  it('announce nothing when they join a fleet that knows', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    await one.take({ revision: 1 })

    const late = await fleet.join()
    await late.take({ revision: 1 })
    await fleet.clock.advance(1)

    expect(announcements(late, fleet)).toBe(0)
  })

  it('do not make a name known that the provider does not have, and keep its instance', async () => {
    const fleet = new SimulatedGateways()
    const asked: string[] = []
    const [one] = await fleet.joinAll({
      exists: async (key: string) => {
        asked.push(key)
        return false
      },
    })

    await one.take({ revision: 1 })
    for (let beat = 0; beat < 5; beat += 1) {
      await fleet.clock.advance(3_000)
      await one.take({ revision: 1 })
    }

    expect(one.directory.knows('echo.fn')).toBe(false)
    expect(one.phase).toBeUndefined()
    expect(one.ready).toEqual(['a'])
    // Not with every heartbeat.
    expect(asked).toEqual(['echo.fn', 'echo.fn'])
  })

  it('announce with a later heartbeat what could not be at first', async () => {
    const fleet = new SimulatedGateways()
    let isAway = true
    const [one] = await fleet.joinAll({
      exists: async () => {
        if (isAway) throw new GatewayError('provider_unavailable', 'of the test')
        return true
      },
    })
    const receipt = await one.take({ revision: 1 })
    await fleet.clock.advance(3_000)
    const before = one.phase

    isAway = false
    await one.take({ revision: 1 })
    await fleet.clock.advance(1)

    expect(receipt.ttlMs).toBe(10_000)
    expect(before).toBeUndefined()
    expect(one.phase).toBe('ready')
  })

  it('announce what becomes ready again while it was being told that it was ready, and was not', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    one.store.connection.replyDelayMs = () => 20
    const first = [one.take({ revision: 1 }), one.take({ revision: 2, phase: 'unready' })]
    await fleet.clock.advance(100)
    await Promise.all(first)
    const before = announcements(one, fleet)

    const again = one.take({ revision: 3 })
    await fleet.clock.advance(100)
    await again

    expect([before, announcements(one, fleet)]).toEqual([0, 1])
  })

  it('announce a new instance of a function that was at zero, though one that died with it is still known', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    await one.take({ id: 'dead' })
    await fleet.clock.advance(1_000)
    one.knowFunction('zero')
    const before = announcements(one, fleet)

    await one.take({ id: 'new' })
    await fleet.clock.advance(1)

    expect(announcements(one, fleet)).toBe(before + 1)
  })

  it('do not take a function for ready because an instance of it is forgotten', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    await one.take()
    await fleet.clock.advance(1_000)

    one.knowFunction('zero')
    await fleet.clock.advance(11_000)

    expect([one.known, one.phase]).toEqual([[], 'zero'])
  })

  it('do not wait for a provider that does not answer', async () => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({ exists: () => new Promise(() => {}) }, {})

    await one.take()

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
  })

  it('announce for this gateway alone while there is no store', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    fleet.server.stop()
    one.knowFunction()

    await one.take()
    await fleet.clock.advance(1)

    expect(one.phase).toBe('ready')
  })
})
