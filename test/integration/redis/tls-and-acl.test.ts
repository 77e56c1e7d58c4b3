import { describe, expect, it } from 'vitest'
import { failureOf, openRedisStore, OpenedStore } from '../../support/open-redis-store.ts'
import { eventually } from '../../support/eventually.ts'
import { freePort, startRedis } from '../../support/redis-servers.ts'
import { describeStore } from './describe-store.ts'
import { storeRules, withUser } from './documented-users.ts'

describeStore(
  'one server with TLS and a restricted user',
  async () => {
    const server = await startRedis({ tls: true, acl: [storeRules] })
    const url = withUser(server.url)
    return { server, url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  },
  ({ place }) => {
    it('needs nothing that the documented permissions refuse', async () => {
      expect(storeRules).toContain('~pilotlight:* &pilotlight:* -@all')
      expect(await place().server.command('ACL', 'LOG')).toEqual([])
    })

    it('fails with no_permission outside its prefix, for commands and for messages', async () => {
      await using opened = new OpenedStore(place().url, { prefix: 'foreign' })

      await eventually(
        'commands to be refused',
        async () => (await failureOf(opened.store.read('f'))) === 'no_permission',
      )
      await eventually(
        'the probe to be refused',
        async () => (await failureOf(opened.store.probe('f'))) === 'no_permission',
      )
      expect(opened.subscribed).toBe(0)
    })

    it('fails with bad_credentials for a wrong password, and shows it nowhere', async () => {
      await using opened = new OpenedStore(place().url.replace(':secret@', ':hunter2@'))

      await eventually(
        'the log-in to fail',
        async () => (await failureOf(opened.store.read('f'))) === 'bad_credentials',
      )
      const error: unknown = await opened.store.probe('f').catch((thrown: unknown) => thrown)
      expect(JSON.stringify(allFields(error))).not.toContain('hunter2')
    })

    it.each([
      ['a certificate that nobody vouches for', (url: string) => url.replace(/tls_ca=[^&]*&/, '')],
      ['a certificate of another name', (url: string) => url.replace(/&tls_servername.*/, '')],
      ['no TLS', (url: string) => url.replace('rediss', 'redis').replace(/\?.*/, '')],
    ])('is away behind %s', async (_, change) => {
      await using opened = new OpenedStore(change(place().url))

      const fault = await eventually('the connection to fail', async () => {
        const error: unknown = await opened.store.read('f').catch((thrown: unknown) => thrown)
        const cause = error instanceof Error ? error.cause : undefined
        return cause instanceof Error && cause.message !== 'not connected yet' ? error : undefined
      })

      expect(fault).toMatchObject({
        code: 'lease_store_unavailable',
        details: { operation: 'read-state', failure: 'away' },
      })
    })
  },
)

describe('RedisStore over TLS', () => {
  it('reaches a primary through its Sentinels', async () => {
    await using primary = await startRedis({ tls: true })
    const config = `sentinel monitor main ${primary.host} ${primary.port} 1`
    await using sentinel = await startRedis({ tls: true, sentinel: true, config, args: ['--tls-replication', 'yes'] })
    const query = new URL(sentinel.url).search

    await using opened = await openRedisStore(`rediss+sentinel://127.0.0.1:${sentinel.port}/main${query}`)

    expect(await failureOf(opened.store.addKey('f'))).toBeUndefined()
  })

  it('reaches the nodes of a Cluster', async () => {
    const bus = ['--tls-cluster', 'yes', '--cluster-port', `${await freePort()}`, '--cluster-announce-ip', '127.0.0.1']
    await using node = await startRedis({ tls: true, args: ['--cluster-enabled', 'yes', ...bus] })
    await node.command('CLUSTER', 'ADDSLOTSRANGE', 0, 16_383)

    await using opened = await openRedisStore(node.url.replace('rediss://', 'rediss+cluster://'))

    expect(await failureOf(opened.store.addKey('f'))).toBeUndefined()
  })

  it('shows a certificate of its own to a server that asks for one', async () => {
    await using server = await startRedis({ tls: true, args: ['--tls-auth-clients', 'yes'] })
    await using stranger = new OpenedStore(server.url)
    const own = `tls_cert=${server.certificatePath}&tls_key=${server.directory}/key.pem`

    await using opened = await openRedisStore(`${server.url}&${own}`)

    expect(await failureOf(opened.store.addKey('f'))).toBeUndefined()
    expect(await failureOf(stranger.store.addKey('f'))).toBe('away')
  })
})

/** An error with its causes, and all that hangs on them. */
function allFields(error: unknown): unknown {
  if (!(error instanceof Error)) return error
  return {
    ...Object.fromEntries(Object.entries(error)),
    message: error.message,
    stack: error.stack,
    cause: allFields(error.cause),
  }
}
