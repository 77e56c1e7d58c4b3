import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { failureOf } from '../../support/open-redis-store.ts'
import { type RedisClusterSet, startRedisCluster } from '../../support/redis-cluster.ts'
import { describeStore } from './describe-store.ts'
import { storeRules, withUser } from './documented-users.ts'

const asked = { ttlMs: 5_000, knownVersion: 0, aboveFence: 0 }
const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' } as const

const start = async (): Promise<RedisClusterSet> => {
  const set = await startRedisCluster({ acl: [storeRules] })
  return { ...set, url: withUser(set.url) }
}

describeStore('a Cluster, as a restricted user', start, ({ place, one, other }) => {
  it('needs nothing that the documented permissions refuse', async () => {
    expect(await Promise.all(place().nodes.map((node) => node.command('ACL', 'LOG')))).toEqual([[], [], [], [], [], []])
  })

  it('goes on for functions of other nodes while one primary is down, and for its own after the failover', async () => {
    const owner = await place().ownerOf('pilotlight:function:{moved.ns}')
    const before = await one().store.acquire('moved.ns', asked)
    const elsewhere = await keyOfAnotherNode(owner.port)

    await owner.kill()

    expect(await failureOf(one().store.acquire('moved.ns', asked))).toBeDefined()
    expect(await failureOf(one().store.acquire(elsewhere, asked))).toBeUndefined()
    await one().works(15_000, 'moved.ns')
    await other().works(15_000, 'moved.ns')
    // A node that has not heard of the failover may send a client back to the old primary once more.
    const after = await eventually('a lease', () =>
      one()
        .store.acquire('moved.ns', asked)
        .catch(() => undefined),
    )
    expect(after.role === 'leader' && before.role === 'leader' && after.fence > before.fence).toBe(true)
    await eventually('a write', async () => (await failureOf(one().store.write('moved.ns', write))) === undefined)
    await eventually('the other gateway to hear of it', () => other().changesOf('moved.ns').length > 0)
  })

  async function keyOfAnotherNode(port: number): Promise<string> {
    for (let n = 0; ; n += 1) {
      const owner = await place().ownerOf(`pilotlight:function:{elsewhere${n}}`)
      if (owner.port !== port) return `elsewhere${n}`
    }
  }
})
