import { expect, it } from 'vitest'
import { readFileSync } from 'node:fs'
import { failureOf, OpenedStore } from '../../support/open-redis-store.ts'
import { eventually } from '../../support/eventually.ts'
import { startRedis } from '../../support/redis-servers.ts'
import { describeStore } from './describe-store.ts'

/** The line that the README gives to operators. */
const [aclLine = ''] =
  /^user pilotlight (on .*)$/m
    .exec(readFileSync(new URL('../../../core/redis/README.md', import.meta.url), 'utf8'))
    ?.slice(1) ?? []

describeStore(
  'one server with TLS and a restricted user',
  async () => {
    const server = await startRedis({ tls: true, acl: [`pilotlight ${aclLine}`] })
    const url = server.url.replace('rediss://', 'rediss://pilotlight:secret@')
    return { server, url, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() }
  },
  ({ place }) => {
    it('needs nothing that the documented permissions refuse', async () => {
      expect(aclLine).toContain('~pilotlight:* &pilotlight:* -@all')
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
