import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { failureOf } from '../../support/open-redis-store.ts'
import { describeStore } from './describe-store.ts'

const asked = { ttlMs: 5_000, knownVersion: 0, aboveFence: 0 }

describeStore('one server', startRedis, ({ place, one, other }) => {
  it('goes on with larger fences and versions after all data was lost', async () => {
    const before = await one().store.acquire('lost.ns', asked)
    const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' } as const
    const first = await one().store.write('lost.ns', write)
    await place().command('FLUSHALL')

    const after = await other().store.acquire('lost.ns', asked)
    const second = await other().store.write('lost.ns', write)

    expect(after.role === 'leader' && before.role === 'leader' && after.fence > before.fence).toBe(true)
    expect(first.written && second.written && second.version > first.version).toBe(true)
  })

  it('ends the lease of a dead holder when a replica is promoted whose clock is 30 s behind', async () => {
    const record = 'pilotlight:function:{behind.ns}'
    const lease = await one().store.acquire('behind.ns', { ...asked, ttlMs: 1_500 })
    const [seconds = 0, microseconds = 0] = [await place().command('TIME')].flat().map(Number)
    const now = seconds * 1_000_000 + microseconds
    await place().command('HSET', record, 'until', now + 1_400_000)
    const onTime = await other().store.acquire('behind.ns', asked)
    await place().command('HSET', record, 'until', now + 31_500_000)

    const behind = await other().store.acquire('behind.ns', asked)

    expect(onTime).toMatchObject({ role: 'follower' })
    expect(behind).toMatchObject({ role: 'leader', tookOver: true })
    expect(behind.role === 'leader' && lease.role === 'leader' && behind.fence > lease.fence).toBe(true)
  })

  it('measures a renewed lease by what the renewal gave', async () => {
    const lease = await one().store.acquire('renewed.ns', { ...asked, ttlMs: 1_500 })
    await one().store.renew('renewed.ns', { fence: lease.role === 'leader' ? lease.fence : 0, ttlMs: 60_000 })

    const answer = await other().store.acquire('renewed.ns', asked)

    expect(answer).toMatchObject({ role: 'follower' })
    expect(answer.role === 'follower' && answer.remainingMs).toBeGreaterThan(50_000)
  })

  it('removes entries that are over in passing, those that were over first, a hundred at a time', async () => {
    const put = (key: string, ttlMs: number) => one().store.putEntry(key, { body: 'b', rank: 1, ttlMs })
    await place().command('FLUSHALL')
    await Promise.all(Array.from({ length: 250 }, (_, at) => put(`e${at}`, 150)))
    await one().store.putEntry('last', { body: 'b', rank: 9, ttlMs: 200 })
    await eventually('all to be over', async () => (await one().store.entries()).length === 0)
    const isOver = await put('last', 1)
    await put('kept', 60_000)
    const left: unknown[] = []
    for (let time = 0; time < 4; time += 1) {
      await (time % 2 === 0 ? put('kept', 60_000) : one().store.renewEntries(['kept'], { ttlMs: 60_000, note: '' }))
      left.push(await place().command('HLEN', 'pilotlight:entries:{entries}'))
    }

    expect(isOver).toBe(true)
    expect(left.at(-1)).toBe(1)
    expect(await place().command('ZCARD', 'pilotlight:entry-ends:{entries}')).toBe(1)
    expect(await place().command('PTTL', 'pilotlight:entries:{entries}')).toBeGreaterThan(600_000)
  })

  it('goes on when somebody has written something else among the entries', async () => {
    await place().command('HSET', 'pilotlight:entries:{entries}', 'i/a', 'garbage')
    await place().command('ZADD', 'pilotlight:entry-ends:{entries}', Date.now() + 60_000, 'i/a')

    const before = await one().store.entries()
    const isPut = await one().store.putEntry('i/a', { body: 'b', rank: 0, ttlMs: 60_000 })

    expect(before.filter(({ key }) => key === 'i/a')).toEqual([])
    expect(isPut).toBe(true)
    expect(await other().store.entries()).toContainEqual({
      key: 'i/a',
      body: 'b',
      rank: 0,
      remainingMs: expect.any(Number),
    })
  })

  it('sends scripts again that Redis has forgotten', async () => {
    await place().command('SCRIPT', 'FLUSH')

    expect(await failureOf(one().store.read('any.ns'))).toBeUndefined()
  })

  it('works again by itself after Redis was restarted, with larger fences', async () => {
    const before = await one().store.acquire('restarted.ns', asked)
    const subscribed = one().subscribed

    await place().restart()
    await one().works()

    const after = await one().store.acquire('restarted.ns', asked)
    expect(after.role === 'leader' && before.role === 'leader' && after.fence > before.fence).toBe(true)
    expect(one().subscribed).toBe(subscribed + 1)
  })
})
