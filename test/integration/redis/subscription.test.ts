import { describe, expect, it } from 'vitest'
import { RedisStore } from '../../../core/redis/redis-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { failureOf, openRedisStore } from '../../support/open-redis-store.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { startSubscriberFreezer } from '../../support/subscriber-freezer.ts'

const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' } as const

describe('The subscription of a store', () => {
  guardAgainstLeaks()

  it('comes back after its connection was killed, and says so', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url)

    await server.command('CLIENT', 'KILL', 'TYPE', 'pubsub')

    await eventually('a new subscription', () => opened.subscribed === 2)
    expect(await failureOf(opened.store.read('f'))).toBeUndefined()
    await opened.store.write('f', write)
    await eventually('the change to be heard', () => opened.changesOf('f').length > 0)
  })

  it.each([
    ['no JSON', 'hello'],
    ['no array', '{"state":1}'],
    ['numbers', '["state","f",1,2,"one","b"]'],
    ['an unknown kind', '["exploded","f","1","0","one"]'],
    ['too few texts', '["state","f","1","0","one"]'],
    ['too many texts', '["gone","f","1","0","one","b"]'],
    ['a version that is no number', '["state","f","1e3","0","one","b"]'],
    ['a version beyond all bounds', '["state","f","99999999999999999999","0","one","b"]'],
    ['an empty text', ''],
    ['ten thousand brackets', '['.repeat(10_000)],
  ])('drops and counts a message of %s', async (_, message) => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url)

    await server.command('PUBLISH', 'pilotlight:changes', message)
    await server.command('PUBLISH', 'pilotlight:changes', '["released","f","somebody"]')

    await eventually('the good message', () => opened.changes.length > 0)
    expect(opened.changes).toEqual([{ kind: 'released', key: 'f', origin: 'somebody' }])
    expect(opened.foreignMessages).toBe(1)
  })

  it('hears nothing of a fleet with another prefix', async () => {
    await using server = await startRedis()
    await using ours = await openRedisStore(server.url)
    await using theirs = await openRedisStore(server.url, { prefix: 'theirs' })

    await theirs.store.write('f', write)
    await ours.store.probe('f')

    await eventually('the change to be heard there', () => theirs.changesOf('f').length > 0)
    expect(ours.changes).toEqual([])
    expect(await ours.store.read('f')).toBeUndefined()
  })

  it('is made anew when commands work but nothing is heard any more', async () => {
    await using server = await startRedis()
    await using freezer = await startSubscriberFreezer(server.port)
    await using opened = await openRedisStore(freezer.url, { timeoutMs: 50 })

    freezer.freeze()
    const failures = [await failureOf(opened.store.probe('f')), await failureOf(opened.store.read('f'))]

    expect(failures).toEqual(['unheard', undefined])
    await eventually('a new subscription', () => opened.subscribed === 2)
    expect(await failureOf(opened.store.probe('f'))).toBeUndefined()
  })

  it('is thrown away once when many probes find out at the same time', async () => {
    await using server = await startRedis()
    await using freezer = await startSubscriberFreezer(server.port)
    await using opened = await openRedisStore(freezer.url, { timeoutMs: 50 })
    freezer.freeze()

    const failures = await Promise.all(Array.from({ length: 10 }, (_, at) => failureOf(opened.store.probe(`f${at}`))))

    expect(new Set(failures)).toEqual(new Set(['unheard']))
    await eventually('a new subscription', () => opened.subscribed === 2)
    await opened.works()
    expect(opened.subscribed).toBe(2)
  })

  it('survives a listener that throws', async () => {
    await using server = await startRedis()
    await using writer = await openRedisStore(server.url)
    const log = new FakeLogger()
    let heard = 0
    await using store = new RedisStore({
      ...{
        url: server.url,
        prefix: 'pilotlight',
        timeoutMs: 1_000,
        clock: new SystemClock(),
        random: Math.random,
        log,
      },
      observer: { onCommand: () => {}, onForeignMessage: () => {} },
    })
    store.open(
      () => {
        heard += 1
        throw new Error('a fault of the listener')
      },
      () => {
        throw new Error('another fault of the listener')
      },
    )
    await eventually('the subscription', async () => (await failureOf(store.probe('f'))) === undefined)

    await writer.store.write('f', write)
    await writer.store.write('g', write)

    await eventually('both changes', () => heard === 2)
    expect(log.messages('error')).toHaveLength(3)
  })
})
