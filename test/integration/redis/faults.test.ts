import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { failureOf, openRedisStore, OpenedStore } from '../../support/open-redis-store.ts'
import { freePort, startRedis } from '../../support/redis-servers.ts'

const asked = { ttlMs: 5_000, knownVersion: 0, aboveFence: 0 }
const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' } as const

describe('A store fails with the kind of the fault', () => {
  guardAgainstLeaks()

  it('away, at once, while nobody listens, and works when somebody does', async () => {
    const port = await freePort()
    await using opened = new OpenedStore(`redis://127.0.0.1:${port}`, { timeoutMs: 5_000 })
    await eventually('the connection to be refused', async () => {
      const error: unknown = await opened.store.acquire('f', asked).catch((thrown: unknown) => thrown)
      return error instanceof Error && error.cause instanceof Error && error.cause.message.includes('ECONNREFUSED')
    })
    const startMs = performance.now()

    const error: unknown = await opened.store.acquire('f', asked).catch((thrown: unknown) => thrown)

    expect(error).toMatchObject({
      code: 'lease_store_unavailable',
      message: 'acquire-lease: Redis cannot be reached',
      details: { operation: 'acquire-lease', failure: 'away' },
    })
    expect(performance.now() - startMs).toBeLessThan(1_000)
    await using server = await startRedis({ port })
    expect(server.port).toBe(port)
    await opened.works()
  })

  it('away, at once, for what is under way when the server crashes', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url, { timeoutMs: 5_000 })
    server.pause()
    const underWay = failureOf(opened.store.acquire('f', asked))
    const startMs = performance.now()

    await server.kill()

    expect(await underWay).toBe('away')
    expect(performance.now() - startMs).toBeLessThan(1_000)
  })

  it('timed_out, within the limit, while the server hangs, and works when it goes on', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url, { timeoutMs: 100 })
    server.pause()
    const startMs = performance.now()

    const failures = await Promise.all(
      Array.from({ length: 20 }, (_, at) => failureOf(opened.store.acquire(`f${at}`, asked))),
    )

    const tookMs = performance.now() - startMs
    server.resume()
    expect(new Set(failures)).toEqual(new Set(['timed_out']))
    expect(tookMs).toBeGreaterThan(90)
    expect(tookMs).toBeLessThan(1_000)
    await opened.works()
  })

  it('timed_out as long as the server hangs, however long, and hears messages afterwards', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url, { timeoutMs: 20 })
    server.pause()
    const untilMs = performance.now() + 1_500
    const failures = new Set<unknown>()
    while (performance.now() < untilMs) {
      failures.add(await failureOf(opened.store.probe('f')))
      await pause(20)
    }

    server.resume()

    expect([...failures]).toEqual(['timed_out'])
    await opened.works()
    await opened.store.write('after.ns', write)
    await eventually('the change to be heard', () => opened.changesOf('after.ns').length > 0)
  })

  it('read_only on a replica, where reading goes on', async () => {
    await using primary = await startRedis()
    await using server = await startRedis({ args: ['--replicaof', primary.host, `${primary.port}`] })
    await using opened = new OpenedStore(server.url)
    await eventually('the replica to answer', async () => (await failureOf(opened.store.read('f'))) === undefined)

    expect(await failureOf(opened.store.acquire('f', asked))).toBe('read_only')
    expect(await failureOf(opened.store.probe('f'))).toBe('read_only')
    expect(await failureOf(opened.store.addKey('f'))).toBe('read_only')

    await server.command('REPLICAOF', 'NO', 'ONE')
    await opened.works()
  })

  it('out_of_memory when Redis is full, without half a write, and works when there is room', async () => {
    await using server = await startRedis({ args: ['--maxmemory-policy', 'noeviction'] })
    await using opened = await openRedisStore(server.url)
    await server.command('CONFIG', 'SET', 'maxmemory', '1mb')

    expect(await failureOf(opened.store.write('f', write))).toBe('out_of_memory')
    expect(await failureOf(opened.store.probe('f'))).toBe('out_of_memory')
    expect(await server.command('EXISTS', 'pilotlight:function:{f}')).toBe(0)

    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    await opened.works()
  })

  it('loading while Redis reads its data, and works when it has', async () => {
    await using server = await startRedis({
      args: [
        '--enable-debug-command',
        'local',
        '--key-load-delay',
        '500',
        '--loading-process-events-interval-bytes',
        '1024',
      ],
    })
    await using opened = await openRedisStore(server.url)
    await server.command('DEBUG', 'POPULATE', 2_000, 'filler', 100)
    const reloaded = server.command('DEBUG', 'RELOAD')

    await eventually(
      'Redis to be loading',
      async () => (await failureOf(opened.store.acquire('f', asked))) === 'loading',
    )

    await reloaded
    await opened.works()
  })

  it('busy while a script of somebody else runs on', async () => {
    await using server = await startRedis({ args: ['--busy-reply-threshold', '50'] })
    await using opened = await openRedisStore(server.url)
    const endless = server.command('EVAL', 'while true do end', 0).catch(() => {})

    await eventually('Redis to be busy', async () => (await failureOf(opened.store.acquire('f', asked))) === 'busy')

    await server.command('SCRIPT', 'KILL')
    await endless
    await opened.works()
  })

  it('not_durable when Redis wants replicas that it has not', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url)

    await server.command('CONFIG', 'SET', 'min-replicas-to-write', '1')

    expect(await failureOf(opened.store.acquire('f', asked))).toBe('not_durable')
  })

  it('bad_credentials when a password is missing, and when one is set while connected clients are thrown out', async () => {
    await using server = await startRedis({ args: ['--requirepass', 'secret'] })
    await using opened = new OpenedStore(server.url)
    await using knowing = await openRedisStore(server.url.replace('redis://', 'redis://:secret@'))

    await eventually(
      'the log-in to be missed',
      async () => (await failureOf(opened.store.read('f'))) === 'bad_credentials',
    )
    expect(await failureOf(knowing.store.read('f'))).toBeUndefined()
  })

  it('no_permission when a permission is taken away, and works when it is given back', async () => {
    await using server = await startRedis({ acl: ['p on >secret ~* &* +@all'] })
    await using opened = await openRedisStore(server.url.replace('redis://', 'redis://p:secret@'))

    await server.command('ACL', 'SETUSER', 'p', '-publish')
    expect(await failureOf(opened.store.probe('f'))).toBe('no_permission')

    await server.command('ACL', 'SETUSER', 'p', '+publish')
    expect(await failureOf(opened.store.probe('f'))).toBeUndefined()
  })

  it('rejected when a key is of another type, and touches nothing', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url)
    await server.command('SET', 'pilotlight:function:{f}', 'somebody else')

    expect(await failureOf(opened.store.acquire('f', asked))).toBe('rejected')
    expect(await server.command('GET', 'pilotlight:function:{f}')).toBe('somebody else')
  })

  it('rejected for a database that does not exist, instead of using another one', async () => {
    await using server = await startRedis()
    await using opened = new OpenedStore(`${server.url}/99`)

    await eventually('the choice to be refused', async () => (await failureOf(opened.store.addKey('f'))) === 'rejected')
    await using third = await openRedisStore(`${server.url}/3`)
    await third.store.addKey('f')
    expect(await server.command('DBSIZE')).toBe(0)
  })

  it('cluster_down when nobody serves a part of the slots, away when nobody serves any', async () => {
    const bus = ['--cluster-port', `${await freePort()}`, '--cluster-announce-ip', '127.0.0.1']
    await using server = await startRedis({ args: ['--cluster-enabled', 'yes', ...bus] })
    await using opened = new OpenedStore(`redis+cluster://127.0.0.1:${server.port}`)
    await pause(100)
    expect(await failureOf(opened.store.read('f'))).toBe('away')

    await server.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_000)
    await eventually('the Cluster to be down', async () => (await failureOf(opened.store.read('f'))) === 'cluster_down')
  })

  it('away for what is no Redis', async () => {
    await using server = await startRedis({ tls: true })
    await using opened = new OpenedStore(`redis://127.0.0.1:${server.port}`, { timeoutMs: 100 })
    await pause(100)

    expect(await failureOf(opened.store.read('f'))).toBe('away')
  })
})
