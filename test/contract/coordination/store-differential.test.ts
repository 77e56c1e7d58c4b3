import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CoordinationStore, StoreChange } from '../../../core/coordination/coordination-store.ts'
import { LineStore } from '../../../core/coordination/local-store/line-store.ts'
import { LocalStore } from '../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../core/coordination/local-store/serve-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { joinLines } from '../../support/joined-lines.ts'
import { openRedisStore, type OpenedStore } from '../../support/open-redis-store.ts'
import { startRedis, type RedisServer } from '../../support/redis-servers.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'
import { sequences } from './store-steps.ts'
import { Walk, type FleetOfStores } from './store-walk.ts'

const origins = ['one', 'two', 'three'] as const

/** The stores that stand for Redis, or in its place. */
const others: Readonly<Record<string, () => FleetOfStores>> = {
  'simulated store': simulatedFleet,
  'local store': localFleet,
}

describe('a store in memory', () => {
  let redis: RedisServer
  let redisStores: readonly OpenedStore[] = []
  let real: FleetOfStores
  beforeAll(async () => {
    redis = await startRedis()
    redisStores = await Promise.all(origins.map((origin) => openRedisStore(redis.url, { origin, timeoutMs: 5_000 })))
    real = { stores: redisStores.map(({ store }) => store), heard: redisStores.map(({ changes }) => changes) }
  })
  afterAll(async () => {
    await Promise.all(redisStores.map((one) => one[Symbol.asyncDispose]()))
    await redis[Symbol.asyncDispose]()
  })

  it('answers and publishes as Redis does, call by call', async () => {
    const fleets = Object.entries(others).map(([kind, make]) => ({ kind, fleet: make() }))
    let walks = 0

    await fc.assert(
      fc.asyncProperty(sequences, async (steps) => {
        walks += 1
        const system = new Walk(real, `walk-${walks}`)
        const models = fleets.map(({ kind, fleet }) => ({ kind, walk: new Walk(fleet, `walk-${walks}`) }))
        for (const [at, step] of steps.entries()) {
          const [expected, ...answers] = await Promise.all(
            [system, ...models.map(({ walk }) => walk)].map((walk) => walk.take(step)),
          )
          for (const [index, { kind }] of models.entries()) {
            expect({ kind, at, step, answer: answers[index] }).toEqual({ kind, at, step, answer: expected })
          }
        }
        for (const { kind, walk } of models) {
          for (const by of origins.keys()) {
            const told = walk.heard(by)
            await eventually('all messages', () => system.heard(by).length >= told.length)
            expect({ kind, told }).toEqual({ kind, told: system.heard(by) })
          }
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

/** Over lines that stand for those of worker processes. */
function localFleet(): FleetOfStores {
  const parts = { clock: new SystemClock(), log: new FakeLogger() }
  const local = new LocalStore(parts)
  return opened(
    origins.map((origin) => {
      const { worker, supervisor } = joinLines()
      serveStore(local, supervisor)
      return new LineStore({ ...parts, line: worker, origin })
    }),
  )
}

function simulatedFleet(): FleetOfStores {
  const clock = new SystemClock()
  const server = new SimulatedServer({ clock })
  return opened(origins.map((origin) => new SimulatedStore(server, { clock, origin })))
}

function opened(stores: readonly CoordinationStore[]): FleetOfStores {
  const heard: StoreChange[][] = stores.map(() => [])
  for (const [index, store] of stores.entries()) {
    store.open(
      (change) => heard[index]?.push(change),
      () => {},
    )
  }
  return { stores, heard }
}
