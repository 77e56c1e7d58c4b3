import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { openRedisStore } from '../../support/open-redis-store.ts'
import { type SentinelSet, startSentinelSet } from '../../support/redis-sentinels.ts'
import { describeStore } from './describe-store.ts'
import { sentinelRules, storeRules, withUser } from './documented-users.ts'

const asked = { ttlMs: 5_000, knownVersion: 0, aboveFence: 0 }
const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' } as const

const start = async (): Promise<SentinelSet> => {
  const set = await startSentinelSet({ acl: [storeRules], sentinelAcl: [sentinelRules] })
  return { ...set, url: `${withUser(set.url)}?sentinel_username=pilotlight&sentinel_password=secret` }
}

describeStore('a primary watched by Sentinels, as a restricted user', start, ({ place, one, other }) => {
  it('needs nothing that the documented permissions refuse', async () => {
    const { servers, sentinels } = place()
    const refused = await Promise.all([...servers, ...sentinels].map((server) => server.command('ACL', 'LOG')))

    expect(refused.flat()).toEqual([])
  })

  it('finds the primary while a Sentinel hangs and another one is gone', async () => {
    const [first, second] = place().sentinels
    first?.pause()
    await second?.kill()

    await using opened = await openRedisStore(place().url, { timeoutMs: 100 })

    first?.resume()
    await second?.start()
    expect(opened.commands.at(-1)).toEqual({ name: 'echo', failure: undefined })
  })

  it('works again on the new primary after the old one crashed, with larger fences', async () => {
    const before = await one().store.acquire('moved.ns', asked)

    await (await place().primary()).kill()
    await Promise.all([one().works(), other().works()])

    const after = await one().store.acquire('moved.ns', asked)
    expect(after.role === 'leader' && before.role === 'leader' && after.fence > before.fence).toBe(true)
    await one().store.write('moved.ns', write)
    await eventually('the other gateway to hear of it', () => other().changesOf('moved.ns').length > 0)
  })

  it('leaves a primary that was demoted while it hung, and hears what is published on the new one', async () => {
    await using writer = await openRedisStore(place().url, { timeoutMs: 200 })
    await using listener = await openRedisStore(place().url, { timeoutMs: 200 })
    const old = await place().primary()
    old.pause()
    await eventually('a failover', async () => (await place().primary()) !== old, 10_000)
    await Promise.all([writer.works(), listener.works()])
    old.resume()

    await writer.store.write('hung.ns', write)

    await eventually('the other gateway to hear of it', () => listener.changesOf('hung.ns').length > 0)
  })
})
