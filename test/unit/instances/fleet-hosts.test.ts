import { describe, expect, it } from 'vitest'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedGateways, SimulatedInstances } from './simulated-gateways.ts'

/** Gateways on the named hosts that have shown each other that they are there. */
async function onHosts<const N extends readonly string[]>(...hosts: N) {
  const fleet = new SimulatedGateways()
  const gateways: SimulatedInstances[] = []
  for (const [at, host] of hosts.entries()) {
    const store = new SimulatedStore(fleet.server, { clock: fleet.clock, origin: `${host}-${at}` })
    const gateway = new SimulatedInstances({ clock: fleet.clock, store })
    await gateway.fleet.start()
    gateways.push(gateway)
  }
  await fleet.clock.advance(1_500)
  return { fleet, clock: fleet.clock, gateways: gateways as { [K in keyof N]: SimulatedInstances } } // one for each
}

describe('FleetInstances on several hosts', () => {
  it.each(['127.0.0.1', '127.5.5.5', '::1', '::ffff:127.0.0.1'])(
    'share an instance at %s with gateways of its own host only, also with those that join later',
    async (address) => {
      const { fleet, clock, gateways } = await onHosts('web-1', 'web-1', 'web-2')
      const [one, neighbour, elsewhere] = gateways

      await one.take({ address, revision: 1 })
      for (let beat = 0; beat < 5; beat += 1) {
        await clock.advance(3_000)
        await one.take({ address, revision: 1 })
      }
      const late = new SimulatedInstances({
        clock,
        store: new SimulatedStore(fleet.server, { clock, origin: 'web-2-late' }),
      })
      await late.fleet.start()
      await clock.advance(1_000)

      expect([one, neighbour, elsewhere, late].map(({ ready }) => ready)).toEqual([['a'], ['a'], [], []])
      expect(await elsewhere.metricLines('pilotlight_shared_instances_refused_total')).not.toContainEqual(
        expect.stringMatching(/ [1-9]/),
      )
    },
  )

  it('share an instance at any other address with all', async () => {
    const { gateways } = await onHosts('web-1', 'web-2')

    await gateways[0].take({ address: '10.1.2.3' })

    expect(gateways.map(({ ready }) => ready)).toEqual([['a'], ['a']])
  })

  it('wait for the gateways of its own host when an instance at a loopback address leaves', async () => {
    const { clock, gateways } = await onHosts('web-1', 'web-1', 'web-2')
    const [one] = gateways
    await one.take({ address: '127.0.0.1', revision: 1 })
    const startMs = clock.monotonicMs()

    const leaving = one.take({ address: '127.0.0.1', revision: 2, phase: 'leaving' })
    await clock.advance(0)

    expect(await leaving).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 0 })
    expect(clock.monotonicMs()).toBe(startMs)
  })

  it('take nothing from the store that would be called without TLS where TLS is wanted', async () => {
    const fleet = new SimulatedGateways()
    const [one, strict] = await fleet.joinAll({}, { needsTls: true })

    await one.take({ id: 'plain' })
    await one.take({ id: 'secure', secure: true })
    await one.take({ id: 'local', address: '127.0.0.1' })

    expect(strict.ready).toEqual(['local', 'secure'])
    expect(await strict.metricLines('pilotlight_shared_instances_refused_total')).toContain(
      'pilotlight_shared_instances_refused_total{reason="forbidden"} 1',
    )
  })
})
