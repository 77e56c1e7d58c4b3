import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { signReport } from '#core'
import { RedisStore } from '../../../core/redis/redis-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { reportOf } from '../../support/instance-reports.ts'
import { InstancesGateway, type InstancesGatewaySettings } from '../../support/instances-gateway.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { startRedis, type RedisServer } from '../../support/redis-servers.ts'
import { storeRules, withUser } from '../redis/documented-users.ts'

/** A gateway on a real Redis. */
class RedisInstances extends InstancesGateway {
  readonly store: RedisStore

  constructor(settings: InstancesGatewaySettings & { readonly store: RedisStore }) {
    super(settings)
    this.store = settings.store
  }
}

describe('FleetInstances on Redis', () => {
  const clock = new SystemClock()
  const gateways: RedisInstances[] = []
  let redis: RedisServer
  let prefix = ''

  guardAgainstLeaks('file')
  beforeAll(async () => void (redis = await startRedis({ acl: [storeRules] })))
  afterEach(async () => {
    await Promise.all(gateways.splice(0).map((gateway) => gateway[Symbol.asyncDispose]()))
    prefix = ''
  })
  afterAll(() => redis[Symbol.asyncDispose]())

  /** Adds a gateway, as the documented user; fleets of different tests have different prefixes. */
  async function join(settings: Partial<InstancesGatewaySettings> = {}): Promise<RedisInstances> {
    prefix ||= `pilotlight:${randomUUID()}`
    const store = new RedisStore({
      url: withUser(redis.url),
      prefix,
      timeoutMs: 2_000,
      clock,
      random: Math.random,
      log: new FakeLogger(),
      observer: { onCommand: () => {}, onForeignMessage: () => {} },
    })
    const gateway = new RedisInstances({ clock, ...settings, store })
    gateways.push(gateway)
    await gateway.fleet.start()
    return gateway
  }

  const known = (what: string, gateway: InstancesGateway, ids: readonly string[]): Promise<unknown> =>
    eventually(what, () => JSON.stringify(gateway.ready) === JSON.stringify(ids))
  const seen = (...all: readonly RedisInstances[]): Promise<unknown> =>
    eventually('all gateways to be known', async () => {
      const keys = (await all[0]?.store.entries())?.map(({ key }) => key) ?? []
      return all.every(({ store }) => keys.includes(`g/${store.origin}`))
    })

  it('know in every gateway what one was told, in every phase', async () => {
    const [one, other] = [await join(), await join()]
    await one.take({ phase: 'starting' })
    await one.take({ phase: 'ready', limit: 3, secure: true, address: 'fd00::7' })

    await known('the other to hear', other, ['a'])
    expect(other.instances.directory.ready('echo.fn')).toMatchObject([
      { origin: 'https://[fd00::7]:8080', record: { limit: 3, phase: 'ready' } },
    ])
    await one.take({ phase: 'unready' })
    await known('the other to hear', other, [])
  })

  it('have a gateway that was told of nothing release its callers', async () => {
    const [one, other] = [await join(), await join()]
    other.knowFunction()
    const seenReady: (readonly string[])[] = []
    other.directory.subscribe(({ phase }) => void (phase === 'ready' && seenReady.push(other.ready)))

    await one.take()

    await eventually('the announcement', () => other.phase === 'ready')
    expect(seenReady[0]).toEqual(['a'])
  })

  it('tell who joins later, and carry loads once a second', async () => {
    const one = await join()
    await one.take({ revision: 1 })

    const late = await join()
    await known('the late one to know', late, ['a'])
    await one.take({ revision: 1, load: { inFlight: 7 } })

    await eventually('the load', () => late.instances.directory.get('a')?.load.inFlight === 7)
  })

  it('acknowledge to each other that an instance leaves', async () => {
    const all = [await join(), await join(), await join()]
    const [one] = all
    await one?.take({ revision: 1 })
    await seen(...all)
    for (const gateway of all) await known('the instance', gateway, ['a'])

    const receipt = await one?.take({ revision: 2, phase: 'leaving' })

    expect(receipt).toEqual({ ttlMs: 10_000, acknowledged: 2, silent: 0 })
    expect(all.map(({ ready }) => ready)).toEqual([[], [], []])
  })

  it('wait a second for a gateway that hangs, and no longer', async () => {
    const one = await join()
    await one.take({ revision: 1 })
    await one.store.putEntry('g/hanging', { body: '', rank: 0, ttlMs: 60_000 })
    // Heard from somebody else: what a gateway says itself it does not believe.
    const other = await join()
    await other.store.renewEntries(['g/hanging'], { ttlMs: 60_000, note: '' })
    await seen(one, other)
    await known('the instance', other, ['a'])

    const startMs = performance.now()
    const receipt = await one.take({ revision: 2, phase: 'leaving' })

    expect(receipt).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 1 })
    expect(performance.now() - startMs).toBeGreaterThan(900)
    expect(performance.now() - startMs).toBeLessThan(5_000)
  })

  it('put everything again after all data was lost', async () => {
    const [one, other] = [await join(), await join()]
    await one.take({ revision: 1 })
    await known('the instance', other, ['a'])
    await redis.command('FLUSHALL')

    await one.take({ revision: 1 })
    await eventually('the entry', async () => (await other.store.entries()).some(({ key }) => key === 'i/a'))

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
    await known('a newcomer to know', await join(), ['a'])
  })

  it('take nothing over that the key has not signed, and go on', async () => {
    const [one, other] = [await join(), await join({ key: 'another key of another fleet' })]

    await other.take({ id: 'foreign' })
    await other.store.putEntry('i/forged', {
      body: signReport(reportOf({ id: 'forged' }), 'guess'),
      rank: 1,
      ttlMs: 9_000,
    })
    await one.take({ id: 'own' })

    await eventually('the foreign ones to be counted', async () =>
      (await one.metricLines('pilotlight_shared_instances_refused_total')).includes(
        'pilotlight_shared_instances_refused_total{reason="unsigned"} 2',
      ),
    )
    expect(one.known).toEqual(['own'])
    expect(other.known).toEqual(['foreign'])
  })

  it('go on alone while Redis is gone, let an instance leave at once, and agree when it is back', async () => {
    const [one, other] = [await join(), await join()]
    await one.take({ id: 'a', revision: 1 })
    await one.take({ id: 'b', revision: 1 })
    await known('both', other, ['a', 'b'])
    await seen(one, other)
    await redis.kill()

    const startMs = performance.now()
    const left = await one.take({ id: 'a', revision: 2, phase: 'leaving' })
    const tookMs = performance.now() - startMs
    await one.take({ id: 'c', revision: 1 })
    const meanwhile = [one.ready, other.ready]
    await redis.restart()

    await known('the first to keep', one, ['b', 'c'])
    await known('the other to catch up', other, ['b', 'c'])
    expect(left).toMatchObject({ acknowledged: 0, silent: 1 })
    expect(tookMs).toBeLessThan(5_000)
    expect(meanwhile).toEqual([
      ['b', 'c'],
      ['a', 'b'],
    ])
  })

  it('forget in all gateways who falls silent', async () => {
    const [one, other] = [await join({ ttlMs: 400 }), await join({ ttlMs: 400 })]
    await one.take()
    await known('the instance', other, ['a'])

    await known('the end of it', one, [])
    await known('the end of it', other, [])

    await eventually('the entry to be over', async () => !(await one.store.entries()).some(({ key }) => key === 'i/a'))
  })

  it('share ten thousand instances', async () => {
    const one = await join()
    const ids = Array.from({ length: 10_000 }, (_, at) => `i${at}`)
    const startMs = performance.now()
    for (let from = 0; from < ids.length; from += 100) {
      await Promise.all(
        ids.slice(from, from + 100).map((id) => one.take({ id, name: `f${from % 1_000}`, revision: 1 })),
      )
    }
    const putMs = performance.now() - startMs

    const late = await join()
    await eventually('all to be known', () => late.known.length === ids.length)
    for (const id of ids)
      void one.take({
        id,
        name: `f${(Math.floor(Number(id.slice(1)) / 100) * 100) % 1_000}`,
        revision: 1,
        load: { inFlight: 1 },
      })
    await eventually('all loads to be known', () =>
      ids.every((id) => late.instances.directory.get(id)?.load.inFlight === 1),
    )

    expect(late.known).toEqual(ids.toSorted())
    expect(putMs).toBeLessThan(20_000)
    expect(await redis.command('ACL', 'LOG')).toEqual([])
  })
})
