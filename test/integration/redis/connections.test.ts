import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { FaultProxy } from '../../support/fault-proxy.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { failureOf, openRedisStore, OpenedStore } from '../../support/open-redis-store.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { runNode } from '../../support/run-process.ts'
import { temporaryFile } from '../../support/temporary-file.ts'

/** Keeps this process busy, so that it reads no socket and no timer fires. */
function stall(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}

describe('The connections of a store', () => {
  guardAgainstLeaks()

  it('do not count a stall of this process as a failure of Redis', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url, { timeoutMs: 50 })

    const calls = Promise.all(Array.from({ length: 10 }, (_, at) => failureOf(opened.store.read(`f${at}`))))
    const probe = failureOf(opened.store.probe('f'))
    stall(400)

    expect(new Set(await calls)).toEqual(new Set([undefined]))
    expect(await probe).toBeUndefined()
  })

  it('are replaced when they have died without a sign', async () => {
    await using server = await startRedis()
    await using proxy = await FaultProxy.start(server.port)
    await using opened = await openRedisStore(proxy.through(server.url), { timeoutMs: 50 })
    await proxy.set('blackHole')
    await eventually('a failure', async () => (await failureOf(opened.store.read('f'))) === 'timed_out')
    await eventually('another one', async () => (await failureOf(opened.store.probe('f'))) !== undefined)

    await proxy.set('pass')

    await opened.works()
  })

  it.each(['reset', 'refuse', 'stall', 'blackHole'] as const)('come back after a time of %s', async (kind) => {
    await using server = await startRedis()
    await using proxy = await FaultProxy.start(server.port)
    await using opened = await openRedisStore(proxy.through(server.url), { timeoutMs: 50 })
    await proxy.set(kind)
    if (kind === 'refuse') proxy.cut()
    await eventually('the fault to show', async () => (await failureOf(opened.store.probe('f'))) !== undefined)

    await proxy.set('pass')

    await opened.works()
  })

  it('work over a line that delivers bytes one by one', async () => {
    await using server = await startRedis()
    await using proxy = await FaultProxy.start(server.port)
    await proxy.set({ kind: 'slice', bytes: 1 })

    await using opened = await openRedisStore(proxy.through(server.url))

    await opened.store.addKey('\u{1f680}')
    expect(await opened.store.keys()).toEqual(['\u{1f680}'])
  })

  it('are two for each gateway', async () => {
    await using server = await startRedis()
    await using opened = await openRedisStore(server.url)
    await Promise.all(Array.from({ length: 20 }, (_, at) => opened.store.read(`f${at}`)))

    const clients = String(await server.command('CLIENT', 'LIST'))

    expect(clients.match(/name=pilotlight /g)).toHaveLength(2)
  })

  it.each(['works', 'hangs', 'has never been there'])('close within half a second while Redis %s', async (state) => {
    await using server = await startRedis()
    const opened = new OpenedStore(server.url, { timeoutMs: 100 })
    if (state !== 'has never been there') await opened.works()
    if (state !== 'works') server.pause()
    const call = failureOf(opened.store.read('f'))
    const startMs = performance.now()

    await opened[Symbol.asyncDispose]()
    await eventually('the sockets to close', () => !process.getActiveResourcesInfo().includes('TCPSocketWrap'), 1_000)

    expect(performance.now() - startMs).toBeLessThan(500)
    expect([undefined, 'away', 'timed_out']).toContain(await call)
    expect(await failureOf(opened.store.read('f'))).toBe('away')
    await opened[Symbol.asyncDispose]()
  })

  it('do not keep a process alive, nor end it, whatever happens to Redis', async () => {
    await using server = await startRedis()
    using program = temporaryFile(
      'program.ts',
      `import { OpenedStore } from '${import.meta.dirname}/../../support/open-redis-store.ts'
const stores = [${server.port}, 1].map((port) => new OpenedStore('redis://127.0.0.1:' + port, { timeoutMs: 50 }))
await stores[0].works()
process.kill(Number(process.argv[2]), 'SIGSTOP')
await stores[0].store.read('f').catch(() => {})
for (const store of stores) await store[Symbol.asyncDispose]()
process.on('exit', () => console.log('ended by itself'))
`,
    )
    const pid = /process_id:(\d+)/.exec(String(await server.command('INFO', 'server')))?.[1] ?? ''

    const finished = await runNode([program.path, pid])

    server.resume()
    expect(finished).toEqual({ code: 0, stdout: 'ended by itself\n', stderr: '' })
  })
})
