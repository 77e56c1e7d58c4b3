import { expect, it } from 'vitest'
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
