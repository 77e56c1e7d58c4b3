import { describe, expect, it } from 'vitest'
import { GatewayError, type FunctionState } from '#core'
import { FleetGateway } from '../../../support/fleet-gateway.ts'
import { SimulatedStore } from '../../../support/simulated-store.ts'
import { SimulatedServer } from '../../../support/simulated-store-server.ts'
import { echo, Waking } from './waking.ts'

/** Gateways of a fleet that wake functions of one platform, all on one fake clock. */
async function fleetOf(count: number, options: Readonly<Record<string, unknown>> = {}) {
  const gateways: Waking[] = []
  const stores: SimulatedStore[] = []
  const fleets: FleetGateway[] = []
  let server: SimulatedServer | undefined
  for (let i = 1; i <= count; i += 1) {
    const [beside] = gateways
    const gateway = new Waking({
      options,
      ...(beside === undefined ? {} : { beside }),
      createCoordinator: ({ clock, directory }) => {
        server ??= new SimulatedServer({ clock })
        const store = new SimulatedStore(server, { clock, origin: `gateway-${i}` })
        const fleet = new FleetGateway({ store, clock, directory })
        stores.push(store)
        fleets.push(fleet)
        return fleet.fleet.leases
      },
    })
    gateways.push(gateway)
    await fleets.at(-1)?.fleet.start()
  }
  const [one, other] = gateways
  if (one === undefined || other === undefined || server === undefined) throw new Error('a fleet has two gateways')
  return { gateways, one, other, stores, server, clock: one.clock, query: one.query }
}

describe('waking in a fleet', () => {
  it('asks the platform as often as one gateway alone does, and lets all callers go together', async () => {
    const { gateways, clock, query } = await fleetOf(3)
    query.readyAfterMs = 500
    const alone = new Waking()
    alone.query.readyAfterMs = 500

    const calls = gateways.flatMap((gateway) => [gateway.hold(), gateway.hold()])
    await clock.advance(600)
    alone.hold()
    await alone.clock.advance(600)

    expect(calls.map(({ ended }) => ended)).toEqual(calls.map(() => 'released'))
    expect(query.scales).toHaveLength(1)
    expect(query.statuses.length).toBeLessThanOrEqual(alone.query.statuses.length)
  })

  it('publishes changes only, not every status', async () => {
    const { one, other, clock, query, server } = await fleetOf(2)
    query.readyAfterMs = 1_000
    one.hold()
    other.hold()
    await clock.advance(1_100)

    const states = server.published.flatMap((change) => (change.kind === 'state' ? [change] : []))

    expect(query.statuses.length).toBeGreaterThan(20)
    expect(states.map(({ body }) => (JSON.parse(body) as FunctionState).phase)).toEqual(['zero', 'waking', 'ready'])
  })

  it('counts wakes by who led them', async () => {
    const { one, other, clock, query } = await fleetOf(2)
    query.readyAfterMs = 100
    one.hold()
    await clock.advance(0)
    other.hold()
    await clock.advance(200)

    expect(await one.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="ready",role="leader"} 1',
    ])
    expect(await other.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="ready",role="follower"} 1',
    ])
    expect(await other.metricLines('pilotlight_lease_wait_seconds_count')).toEqual([
      'pilotlight_lease_wait_seconds_count 1',
    ])
  })

  it('refuses the callers of all gateways at once with the reason that the leader met', async () => {
    const { one, other, clock, query } = await fleetOf(2)
    query.scaleRefusal = new GatewayError('no_ready_replica', 'quota exceeded')
    const led = one.hold()
    await clock.advance(0)
    const followed = other.hold()
    await clock.advance(10)

    expect([led.ended, followed.ended]).toEqual(['no_ready_replica', 'circuit_open'])
    expect(followed.error?.message).toContain('quota exceeded')
    expect(query.scales).toHaveLength(1)
    expect(other.hold().ended).toBeUndefined()
    await clock.advance(1)
    expect(query.scales).toHaveLength(1)
  })

  it('answers unknown names in all gateways from one question', async () => {
    const { one, other, clock, query } = await fleetOf(2)
    query.exists = false
    const led = one.hold()
    await clock.advance(0)
    const followed = other.hold()
    await clock.advance(10)

    expect([led.ended, followed.ended]).toEqual(['function_not_found', 'function_not_found'])
    expect(query.statuses).toHaveLength(1)
  })

  it('keeps its lease while the platform takes long to answer', async () => {
    const { one, other, clock, query } = await fleetOf(2)
    const slow = Promise.withResolvers<void>()
    query.answers = slow.promise
    one.hold()
    await clock.advance(0)
    other.hold()

    await clock.advance(4_000)

    expect(query.statuses).toHaveLength(1)
    slow.resolve()
    await clock.advance(20)
    expect(query.scales).toHaveLength(1)
  })

  it('is taken over when the leader is cut off, within the time to live of its lease', async () => {
    const { one, other, clock, query, stores } = await fleetOf(2)
    const led = one.hold()
    await clock.advance(0)
    const followed = other.hold()
    await clock.advance(100)
    const scaledBefore = query.scales.length
    const [cut] = stores
    if (cut !== undefined) cut.connection.fate = () => 'request lost'

    await clock.advance(1_700)
    query.becomeReady()
    await clock.advance(100)

    expect([led.ended, followed.ended]).toEqual(['released', 'released'])
    expect([scaledBefore, query.scales.length]).toEqual([1, 1])
    expect(await other.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="ready",role="leader"} 1',
    ])
  })

  it('is taken over at once when the callers of the leader leave', async () => {
    const { one, other, clock, query } = await fleetOf(2)
    const led = one.hold()
    await clock.advance(0)
    const followed = other.hold()
    await clock.advance(50)

    led.client.leave()
    await clock.advance(5)
    query.becomeReady()
    await clock.advance(20)

    expect(followed.ended).toBe('released')
  })

  it('asks for a larger fence when the platform has seen a newer leader', async () => {
    const { one, clock, query } = await fleetOf(2)
    const newest = (clock.nowMs() + 3_600_000) * 1000
    query.scaleRefusal = new GatewayError('lease_lost', 'a newer leader has written', { details: { fence: newest } })
    const call = one.hold()
    await clock.advance(3)
    query.scaleRefusal = undefined
    query.readyAfterMs = 0
    await clock.advance(100)

    expect(call.ended).toBe('released')
    expect(query.scales.at(-1)?.fence).toBeGreaterThan(newest)
  })

  it('lets callers go when readiness is announced to any gateway, and stops asking', async () => {
    const { one, other, clock, query, server } = await fleetOf(2)
    const calls = [one.hold(), other.hold()]
    await clock.advance(100)
    const ready = {
      ...(one.directory.get(echo.key) as FunctionState),
      phase: 'ready',
      available: 1,
      observedAtMs: clock.nowMs(),
    } as const
    const value = server.records.at(echo.key).version
    const body = JSON.stringify({ ...ready, name: 'echo', namespace: 'fn', isObserved: true, retryInMs: 0 })

    server.records.write(
      { origin: 'sidecar', key: echo.key },
      { condition: 'version', value, phase: 'ready', retryInMs: 0, expiresInMs: 0, body },
    )
    await clock.advance(0)
    const asked = query.statuses.length
    await clock.advance(1_000)

    expect(calls.map(({ ended }) => ended)).toEqual(['released', 'released'])
    expect(query.statuses.length).toBe(asked)
  })
})
