import { describe, expect, it } from 'vitest'
import { SystemRouter } from '#core'
import { instancesRoute } from '../../../../plugins/instances/listing/instances-route.ts'
import { someRequest } from '../../http/some-request.ts'
import { FakeSidecar } from './fake-sidecar.ts'
import { Placing } from './placing.ts'

async function listed(
  placing: Placing,
  search = '',
  defaultNamespace = '',
): Promise<readonly Record<string, unknown>[]> {
  const { directory, pools } = placing
  const router = new SystemRouter([instancesRoute({ directory, pools, defaultNamespace })], [])
  const reply = await router.handle(someRequest({ target: `/system/instances${search}` }).request)
  return JSON.parse(Buffer.from(await reply.bytes(100_000)).toString())
}

async function threeInstances(): Promise<Placing> {
  const placing = new Placing()
  await placing.report([new FakeSidecar('a', 2)])
  await placing.report([new FakeSidecar('b')], { phase: 'starting', namespace: '' })
  await placing.report([new FakeSidecar('c')], { name: 'other' })
  return placing
}

describe('GET /system/instances', () => {
  it('lists every instance with what it says of itself and what this gateway makes of it', async () => {
    const placing = await threeInstances()
    await placing.send()

    const [first] = await listed(placing)

    expect(first).toEqual({
      id: 'a',
      name: 'echo',
      namespace: 'fn',
      address: '10.0.0.1',
      port: 8080,
      adminPort: 8082,
      origin: 'http://10.0.0.1:8080',
      phase: 'ready',
      limit: 2,
      changedAt: '2026-01-01T00:00:00.000Z',
      load: { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 },
      gateway: { inFlight: 1, ejected: false },
    })
  })

  it.each([
    ['', '', ['a', 'b', 'c']],
    ['?name=echo', '', ['b']],
    ['?name=echo', 'fn', ['a']],
    ['?name=echo.fn', '', ['a']],
    ['?name=echo&namespace=fn', '', ['a']],
    ['?namespace=fn', '', ['a', 'c']],
    ['?name=unknown', '', []],
  ])('lists for %j with the default namespace %j: %j', async (search, defaultNamespace, ids) => {
    const found = await listed(await threeInstances(), search, defaultNamespace)

    expect(found.map(({ id }) => String(id)).toSorted((one, other) => one.localeCompare(other))).toEqual(ids)
  })

  it('shows that an instance is ejected', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    one.isDown = true
    await placing.report([one])
    await placing.send()

    expect((await listed(placing))[0]).toMatchObject({ gateway: { inFlight: 0, ejected: true } })
  })
})
