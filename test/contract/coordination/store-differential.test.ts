import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { StoreChange } from '../../../core/coordination/coordination-store.ts'
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
})

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
