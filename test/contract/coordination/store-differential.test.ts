import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CoordinationStore, StoreChange } from '../../../core/coordination/coordination-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { openRedisStore, type OpenedStore } from '../../support/open-redis-store.ts'
import { startRedis, type RedisServer } from '../../support/redis-servers.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'
import { sequences } from './store-steps.ts'
import { Walk, type FleetOfStores } from './store-walk.ts'

const origins = ['one', 'two', 'three'] as const

describe('the simulated store', () => {
  let redis: RedisServer
  let opened: readonly OpenedStore[] = []
  let real: FleetOfStores
  beforeAll(async () => {
    redis = await startRedis()
    opened = await Promise.all(origins.map((origin) => openRedisStore(redis.url, { origin, timeoutMs: 5_000 })))
    real = { stores: opened.map(({ store }) => store), heard: opened.map(({ changes }) => changes) }
  })
  afterAll(async () => {
    await Promise.all(opened.map((one) => one[Symbol.asyncDispose]()))
    await redis[Symbol.asyncDispose]()
  })

  it('answers and publishes as Redis does, call by call', async () => {
    const simulated = simulatedFleet()
    let walks = 0

    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        walks += 1
        const name = `walk-${walks}`
        const [model, system] = [new Walk(simulated, name), new Walk(real, name)]
        for (const [at, step] of steps.entries()) {
          const [expected, answer] = await Promise.all([model.take(step), system.take(step)])
          expect({ at, step, answer }).toEqual({ at, step, answer: expected })
        }
        for (const by of origins.keys()) {
          const expected = model.heard(by)
          await eventually('all messages', () => system.heard(by).length >= expected.length)
          expect(system.heard(by)).toEqual(expected)
        }
      }),
      { numRuns: 8, seed: 1, interruptAfterTimeLimit: 20_000 },
    )

    expect(walks).toBeGreaterThanOrEqual(8)
  })

  it('counts a lease as over that seems to last longer than it was given for, as Redis does', async () => {
    const clock = new SystemClock()
    const server = new SimulatedServer({ clock })
    const stores = origins.map((origin) => new SimulatedStore(server, { clock, origin }))

    const simulated = await rolesBeforeAndAfter(stores, () => (server.skewMs = -30_000))
    const answers = await rolesBeforeAndAfter(real.stores, () =>
      redis.command('HSET', 'pilotlight:function:{behind}', 'until', Date.now() * 1000 + 31_500_000),
    )

    expect(simulated).toEqual(['follower', 'leader'])
    expect(answers).toEqual(simulated)
  })
})

/** What a second gateway is told while a first one has a lease of 1.5 s, before and after `setBack` puts its end 30 s off. */
async function rolesBeforeAndAfter(
  stores: readonly CoordinationStore[],
  setBack: () => unknown,
): Promise<readonly unknown[]> {
  const lease = { ttlMs: 1_500, knownVersion: 0, aboveFence: 0 }
  await stores[0]?.acquire('behind', lease)
  const before = await stores[1]?.acquire('behind', lease)
  await setBack()
  const after = await stores[1]?.acquire('behind', lease)
  return [before?.role, after?.role]
}

function simulatedFleet(): FleetOfStores {
  const clock = new SystemClock()
  const server = new SimulatedServer({ clock })
  const heard: StoreChange[][] = origins.map(() => [])
  const stores = origins.map((origin, index) => {
    const store = new SimulatedStore(server, { clock, origin })
    store.open(
      (change) => heard[index]?.push(change),
      () => {},
    )
    return store
  })
  return { stores, heard }
}
