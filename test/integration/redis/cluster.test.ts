import { inspect } from 'node:util'
import { expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { failureOf, OpenedStore } from '../../support/open-redis-store.ts'
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

  it('keeps a role and the probe of it on one node', async () => {
    await one().store.holdRole('placed', 5_000)
    await one().store.probe('placed')
    const primaries = place().nodes.slice(0, 3)
    const found = await Promise.all(primaries.map((node) => node.command('KEYS', '*placed*')))

    const keys = new Set(['pilotlight:probe:{placed}', 'pilotlight:role:{placed}'])
    expect(new Set(found.flat())).toEqual(keys)
    expect(found.filter((some) => Array.isArray(some) && some.length > 0)).toHaveLength(1)
  })

  it('fails with bad_credentials for a wrong password, and shows it nowhere', async () => {
    await using opened = new OpenedStore(place().url.replaceAll(':secret@', ':hunter2@'))

    await eventually('the log-in to fail', async () => (await failureOf(opened.store.read('f'))) === 'bad_credentials')

    const error: unknown = await opened.store.read('f').catch((thrown: unknown) => thrown)
    expect(inspect([error, opened.log.lines], { depth: 30, showHidden: true })).not.toContain('hunter2')
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
