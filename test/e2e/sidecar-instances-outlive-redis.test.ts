import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { eventually } from '../support/eventually.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { IdentifiedLoad } from '../support/identified-load.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import type { RecordedInstance } from '../support/recorded-instance.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'

const ttlMs = 1_000

describe('two gateways, each of which hears of one instance only from the other', () => {
  guardAgainstLeaks()
  let fleet: SidecarFleet
  let instances: readonly RecordedInstance[]
  let load: IdentifiedLoad
  beforeEach(async () => {
    fleet = await SidecarFleet.start({ env: { PILOTLIGHT_INSTANCE_TTL: `${ttlMs}ms` } })
    instances = await Promise.all(fleet.gateways.map((one) => fleet.startInstance({ reportsTo: [one] })))
    await areKnown()
    load = new IdentifiedLoad(fleet.urls)
  })
  afterEach(async () => {
    await load.stop()
    await fleet[Symbol.asyncDispose]()
  })

  function areKnown(gateways?: readonly GatewayProcess[]): Promise<void> {
    return fleet.areReady(
      instances.map(({ id }) => id),
      gateways,
    )
  }

  async function areAlone(isAlone: boolean, gateways: readonly GatewayProcess[] = fleet.gateways): Promise<void> {
    await eventually(`the gateways to be ${isAlone ? 'alone' : 'together'}`, async () => {
      const pages = await Promise.all(gateways.map((one) => one.metrics()))
      return pages.every((page) => metricValue(page, 'pilotlight_coordination_degraded') === Number(isAlone))
    })
  }

  /**
   * Resolves when more time than a lease has passed, by what was reported: five heartbeats take longer. Fails when a gateway does not know
   * an instance in between.
   */
  async function outlivesALease(): Promise<void> {
    const heard = async (): Promise<number> =>
      metricValue(await fleet.gateway(1).metrics(), 'pilotlight_instance_reports_total', { outcome: 'accepted' }) ?? 0
    const before = await heard()
    await eventually(
      'five heartbeats',
      async () => {
        const known = await Promise.all(fleet.gateways.map((one) => fleet.listed(one)))
        expect(known.map((listed) => listed.map(({ phase }) => phase))).toEqual(known.map(() => ['ready', 'ready']))
        return (await heard()) >= before + 5
      },
      10_000,
    )
  }

  /** Fails unless every call was answered, and by instances. */
  async function expectNothingLost(): Promise<void> {
    for (const one of instances) await one.isCalled()
    await load.stop()
    expect(load.failures).toEqual([])
    expect(instances.flatMap(({ calls }) => calls).toSorted()).toEqual(load.answered.toSorted())
    expect(fleet.provider.count('invoke')).toBe(0)
  }

  it.each<[string, { begin: () => unknown; end: () => unknown }]>([
    [
      'is killed for longer than a lease, and comes back empty',
      { begin: () => fleet.redis.kill(), end: () => fleet.redis.start() },
    ],
    ['hangs for longer than a lease', { begin: () => fleet.redis.pause(), end: () => fleet.redis.resume() }],
  ])('lose no call and no instance when Redis %s', async (_, { begin, end }) => {
    await begin()
    await areAlone(true)
    await outlivesALease()
    await end()
    await areAlone(false)
    await outlivesALease()

    await expectNothingLost()
  })

  it('lose no call and no instance when Redis loses everything, and a gateway that starts then learns of all', async () => {
    await fleet.redis.command('FLUSHALL')
    await outlivesALease()
    const late = await fleet.addGateway()

    await areKnown([late])
    await expectNothingLost()
  })

  it('tell a gateway that started without Redis of all instances when it is back', async () => {
    await fleet.redis.kill()
    await areAlone(true)
    const late = await fleet.addGateway()
    expect(await fleet.listed(late)).toEqual([])
    await fleet.redis.start()

    await areKnown([late])
    await expectNothingLost()
  })
})
