import { describe, expect, it } from 'vitest'
import { eventually } from '../../../support/eventually.ts'
import { ScriptedProvider } from '../../../support/scripted-provider.ts'
import { ClientHarness } from './client-harness.ts'
import { HandlerProvider, json } from './handler-provider.ts'

describe('HttpProviderApi.call', () => {
  it('returns whatever the provider answers, redirects included', async () => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(307, { Location: '/other', 'Set-Cookie': ['a=1', 'b=2'] }).end('there')
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const response = await client.api.call({ method: 'PUT', target: 'system/secrets?x=%20', body: 'secret' })

    expect(response.status).toBe(307)
    expect(response.rawHeaders.filter((name) => name === 'Set-Cookie')).toHaveLength(2)
    expect(await response.text()).toBe('there')
    expect(provider.seen).toMatchObject([{ method: 'PUT', target: '/system/secrets?x=%20', body: 'secret' }])
  })

  it.each([
    { own: 'Basic own', keepAuthorization: false, expected: 'Basic own' },
    { own: 'Basic own', keepAuthorization: true, expected: 'Basic client' },
    { own: undefined, keepAuthorization: false, expected: undefined },
    { own: undefined, keepAuthorization: true, expected: 'Basic client' },
  ])('sends $expected when its own is $own and keepAuthorization is $keepAuthorization', async (given) => {
    await using provider = await HandlerProvider.start(json({}))
    await using client = new ClientHarness({ url: provider.url, authorization: given.own })

    const headers = { authorization: 'Basic client' }
    const { keepAuthorization } = given
    const response = await client.api.call({ method: 'GET', target: 'system/telemetry', headers, keepAuthorization })
    response.discard()

    expect(provider.seen[0]?.headers.authorization).toBe(given.expected)
  })

  it.each(['system/function/../functions', 'system/function/%2e%2E', 'system/function/.', String.raw`system\..\x`])(
    'refuses the target %s, which is another path for the provider',
    async (target) => {
      await using provider = await HandlerProvider.start(json({}))
      await using client = new ClientHarness({ url: provider.url, authorization: undefined })

      await expect(client.api.call({ method: 'GET', target })).rejects.toMatchObject({ code: 'request_invalid' })
      expect(provider.seen).toEqual([])
    },
  )

  it('never leaves the provider, whatever a target looks like', async () => {
    await using provider = await HandlerProvider.start(json({}))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    for (const target of ['/other.test/x', 'http://other.test/x']) {
      const response = await client.api.call({ method: 'GET', target })
      response.discard()
    }

    expect(provider.seen.map(({ target }) => target)).toEqual(['//other.test/x', '/http://other.test/x'])
  })

  it('gives up when no head comes within the time of the call', async () => {
    await using provider = await HandlerProvider.start(() => {})
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const call = client.api.call({ method: 'GET', target: 'hung', timeoutMs: 50 })

    await expect(call).rejects.toMatchObject({ code: 'provider_unavailable' })
    await eventually('the connection to close', () => provider.openConnections === 0)
  })

  it('lets a body take longer than the time for the head', async () => {
    await using provider = await HandlerProvider.start((_request, response) => {
      response.writeHead(200).write('first,')
      setTimeout(() => response.end('last'), 120)
    })
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const response = await client.api.call({ method: 'GET', target: 'slow', timeoutMs: 60 })
    const pieces: Uint8Array[] = []
    for await (const piece of response.body) pieces.push(piece)

    expect(Buffer.concat(pieces).toString()).toBe('first,last')
  })
})

describe('HttpProviderApi.listFunctions', () => {
  it('asks for one namespace, or for what the provider shows without one', async () => {
    await using provider = await HandlerProvider.start(json([{ name: 'a', annotations: { topic: 't' }, extra: 1 }]))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    const listed = await client.api.listFunctions('fn&x')
    await client.api.listFunctions('')

    expect(listed).toEqual([{ name: 'a', labels: {}, annotations: { topic: 't' }, extra: 1 }])
    expect(provider.seen.map(({ target }) => target)).toEqual([
      '/system/functions?namespace=fn%26x',
      '/system/functions',
    ])
  })

  it('takes null for an empty list', async () => {
    await using provider = await HandlerProvider.start(json(null))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    expect(await client.api.listFunctions('fn')).toEqual([])
  })

  it.each([
    ['an object', json({ functions: [] })],
    ['an entry without a name', json([{ name: 'a' }, { image: 'b' }])],
    ['404', json([], 404)],
  ])('refuses %s', async (_case, answer) => {
    await using provider = await HandlerProvider.start(answer)
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    await expect(client.api.listFunctions('fn')).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  it('frees every connection of calls that hang', async () => {
    await using provider = await ScriptedProvider.start()
    provider.fail('list', 'hang')
    await using client = new ClientHarness({ url: new URL(provider.url), authorization: undefined }, { timeoutMs: 100 })

    const calls = await Promise.allSettled(Array.from({ length: 10 }, () => client.api.listFunctions('')))

    expect(calls.every(({ status }) => status === 'rejected')).toBe(true)
    await eventually('connections to close', () => provider.connections === 0)
  })
})

describe('HttpProviderApi.listNamespaces', () => {
  it('returns the names', async () => {
    await using provider = await HandlerProvider.start(json(['fn', 'dev']))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    expect(await client.api.listNamespaces()).toEqual(['fn', 'dev'])
  })

  it.each([404, 501])('returns none for %i, at the first answer', async (status) => {
    await using provider = await HandlerProvider.start(json('not implemented', status))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    expect(await client.api.listNamespaces()).toEqual([])
    expect(provider.seen).toHaveLength(1)
  })

  it('refuses names that are no texts', async () => {
    await using provider = await HandlerProvider.start(json([{ name: 'fn' }]))
    await using client = new ClientHarness({ url: provider.url, authorization: undefined })

    await expect(client.api.listNamespaces()).rejects.toMatchObject({ code: 'provider_unavailable' })
  })
})
