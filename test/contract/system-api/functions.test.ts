import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { json } from '../../unit/plugins/provider-client/handler-provider.ts'
import { OneFunction } from './one-function.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let api: SystemApi

beforeAll(async () => {
  api = await SystemApi.start()
})

afterAll(() => api[Symbol.asyncDispose]())

function serveOneFunction(changes: Partial<OneFunction> = {}): OneFunction {
  const provider = Object.assign(new OneFunction(), changes)
  api.serve(provider.answer)
  return provider
}

describe('GET /system/functions', () => {
  it('lists what the provider lists, fields it does not know included', async () => {
    api.serve(json([{ name: 'x', namespace: 'fn', replicas: 2, spare: { a: 1 } }]))

    const answer = await api.call('GET', '/system/functions?namespace=fn', { headers: { 'Accept-Encoding': 'br' } })

    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toContain('application/json')
    expect(await answer.json()).toMatchObject([
      { name: 'x', replicas: 2, spare: { a: 1 }, createdAt: '0001-01-01T00:00:00Z' },
    ])
    expect(api.seen[0]).toMatchObject({
      target: '/system/functions?namespace=fn',
      headers: { 'accept-encoding': 'identity' },
    })
  })

  it.each([
    ['null', 'null'],
    ['[]', '[]'],
  ])('answers %s for %s', async (text) => {
    api.serve((_request, response) => response.end(text))

    expect(await (await api.call('GET', '/system/functions')).text()).toBe(text)
  })

  it('shows the status and text of a provider that fails', async () => {
    api.serve((_request, response) => response.writeHead(400).end('wrong namespace'))

    const answer = await api.call('GET', '/system/functions')

    expect([answer.status, await answer.text()]).toEqual([400, 'wrong namespace\n'])
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff')
  })

  it.each(['<html>', '{"a":1}', '[{"name":'])('says that it cannot read %s', async (text) => {
    api.serve((_request, response) => response.end(text))

    const answer = await api.call('GET', '/system/functions')

    expect([answer.status, await answer.text()]).toEqual([500, 'Unable to parse list of functions from provider\n'])
  })

  it('answers 502 and a line end when the provider does not answer', async () => {
    api.serve((_request, response) => response.socket?.resetAndDestroy())

    const answer = await api.call('GET', '/system/functions')

    expect([answer.status, await answer.text()]).toEqual([502, '\n'])
  })
})

describe('deployments', () => {
  it('sends the bytes of a deployment on untouched', async () => {
    api.serve((_request, response) => response.writeHead(202).end())
    const body = '{ "service":"x",\n "replicas": 12345678901234567890, "é": "\\u00e9" }'

    const answer = await api.call('POST', '/system/functions', { body })

    expect(answer.status).toBe(202)
    expect(api.seen[0]?.body).toBe(body)
  })

  it('leaves a body that is no JSON to the provider', async () => {
    api.serve((_request, response) => response.writeHead(400).end('bad json'))

    const answer = await api.call('PUT', '/system/functions', { body: '{"service":' })

    expect([answer.status, await answer.text()]).toEqual([400, 'bad json'])
  })

  it('refuses a body of more than 1 MiB', async () => {
    api.serve((_request, response) => response.writeHead(202).end())

    const answer = await api.call('POST', '/system/functions', { body: 'x'.repeat(1024 * 1024 + 1) })

    expect(answer.status).toBe(413)
    expect(api.seen).toEqual([])
  })

  it.each(['POST', 'PUT'])('makes an unknown function callable at once by %s', async (method) => {
    const provider = serveOneFunction({ exists: false })
    expect((await api.call('GET', '/function/echo')).status).toBe(404)
    provider.replicas = 1

    await api.call(method, '/system/functions', { body: '{"service":"echo","namespace":"fn"}' })

    expect((await api.call('GET', '/function/echo')).status).toBe(200)
    await api.call('DELETE', '/system/functions', { body: '{"functionName":"echo"}' })
  })

  it('ends the failure of a function by an update', async () => {
    const provider = serveOneFunction({ scaleStatus: 400 })
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(503)
    provider.scaleStatus = 202
    expect((await api.call('GET', '/function/echo')).status).toBe(503)

    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })

    expect((await api.call('GET', '/function/echo')).status).toBe(200)
  })

  it('keeps what is known when the provider refuses an update', async () => {
    serveOneFunction({ scaleStatus: 400 })
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(503)
    api.serve((_request, response) => response.writeHead(400).end())

    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    api.provider.seen.length = 0

    expect((await api.call('GET', '/function/echo')).status).toBe(503)
    expect(api.seen).toEqual([])
  })

  it.each([
    ['in the body', '/system/functions', '{"functionName":"echo","namespace":"fn"}'],
    ['in the query', '/system/functions?namespace=fn', '{"functionName":"echo"}'],
  ])('forgets a removed function, its namespace %s', async (_where, path, body) => {
    const provider = serveOneFunction({ replicas: 1 })
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(200)

    await api.call('DELETE', path, { body })

    expect((await api.call('GET', '/function/echo')).status).toBe(404)
    expect(provider.exists).toBe(false)
  })
})

describe('POST /system/scale-function', () => {
  it.each([
    { path: 'echo', body: { replicas: 9 }, namespace: 'fn', query: '?namespace=fn' },
    {
      path: 'echo',
      body: { serviceName: 'other', replicas: 0, namespace: 'dev' },
      namespace: 'dev',
      query: '?namespace=dev',
    },
    { path: 'echo?namespace=dev&x=1', body: { replicas: 100 }, namespace: 'dev', query: '?namespace=dev&x=1' },
  ])('says name, replicas and namespace in every place ($path, $body)', async ({ path, body, namespace, query }) => {
    api.serve((_request, response) => response.writeHead(202, { 'X-Provider': 'yes' }).end('ok'))

    const answer = await api.call('POST', `/system/scale-function/${path}`, { body: JSON.stringify(body) })

    expect([answer.status, await answer.text(), answer.headers.get('x-provider')]).toEqual([202, 'ok', 'yes'])
    expect(api.seen[0]).toMatchObject({ method: 'POST', target: `/system/scale-function/echo${query}` })
    expect(api.seen[0]?.headers['content-type']).toBe('application/json')
    expect(JSON.parse(api.seen[0]?.body ?? '')).toEqual({ serviceName: 'echo', replicas: body.replicas, namespace })
  })

  it.each([
    '',
    'x',
    '[]',
    'null',
    '{}',
    '{"replicas":-1}',
    '{"replicas":1.5}',
    '{"replicas":"2"}',
    '{"replicas":1e30}',
    '{"replicas":1}x',
  ])('refuses the body %j', async (body) => {
    api.serve((_request, response) => response.writeHead(202).end())

    const answer = await api.call('POST', '/system/scale-function/echo', { body })

    expect([answer.status, await answer.text()]).toEqual([400, 'Error unmarshalling request body\n'])
    expect(api.seen).toEqual([])
  })

  it('shows the refusal of the provider', async () => {
    api.serve((_request, response) => response.writeHead(404).end('no such function'))

    const answer = await api.call('POST', '/system/scale-function/echo', { body: '{"replicas":1}' })

    expect([answer.status, await answer.text()]).toEqual([404, 'no such function'])
  })

  it('answers by an empty 502 when the provider is away', async () => {
    api.serve((_request, response) => response.socket?.resetAndDestroy())

    const answer = await api.call('POST', '/system/scale-function/echo', { body: '{"replicas":1}' })

    expect([answer.status, await answer.text()]).toEqual([502, ''])
  })

  it('lets the next call wake a function that was scaled to 0', async () => {
    const provider = serveOneFunction({ replicas: 1 })
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(200)

    await api.call('POST', '/system/scale-function/echo', { body: '{"replicas":0}' })
    api.provider.seen.length = 0
    const answer = await api.call('GET', '/function/echo')

    expect(answer.status).toBe(200)
    expect(provider.scaleBodies).toMatchObject([{ replicas: 0 }, { replicas: 1, namespace: 'fn' }])
    // The gateway knew that it is at zero: no call went to the provider in vain.
    expect(api.seen.filter(({ target }) => target.startsWith('/function/'))).toHaveLength(1)
  })

  it('ends the failure of a function by scaling it up', async () => {
    const provider = serveOneFunction({ scaleStatus: 400 })
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(503)
    provider.scaleStatus = 202

    await api.call('POST', '/system/scale-function/echo', { body: '{"replicas":2}' })

    expect((await api.call('GET', '/function/echo')).status).toBe(200)
  })
})
