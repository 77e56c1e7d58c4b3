import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, header, requestBytes } from '../../support/raw-http.ts'
import { json } from '../../unit/plugins/provider-client/handler-provider.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let api: SystemApi

beforeAll(async () => {
  api = await SystemApi.start()
})

afterAll(() => api[Symbol.asyncDispose]())

describe('system routes', () => {
  it.each([
    ['POST', '/system/functions', '{"service":"x"}'],
    ['PUT', '/system/functions?a=%20b', '{"service":"x"}'],
    ['DELETE', '/system/functions', '{"functionName":"x"}'],
    ['GET', '/system/function/x?namespace=fn&usage=1', undefined],
    ['GET', '/system/function/x.fn', undefined],
    ['GET', '/system/secrets?namespace=fn', undefined],
    ['POST', '/system/secrets', '{"name":"s"}'],
    ['PUT', '/system/secrets', '{"name":"s"}'],
    ['DELETE', '/system/secrets', '{"name":"s"}'],
    ['GET', '/system/namespaces', undefined],
    ['GET', '/system/namespace/dev', undefined],
    ['POST', '/system/namespace/', '{"name":"dev"}'],
    ['PUT', '/system/namespace/dev', '{"name":"dev"}'],
    ['DELETE', '/system/namespace/dev', '{"name":"dev"}'],
    ['GET', '/system/telemetry', undefined],
  ])('pass %s %s on as it came, and the answer back', async (method, path, body) => {
    api.serve((_request, response) => {
      response.writeHead(418, { 'X-Provider': 'yes', 'Content-Type': 'text/x', 'Keep-Alive': 'timeout=9' }).end('tea\n')
    })

    const answer = await api.call(method, path, body === undefined ? {} : { body })

    expect(answer.status).toBe(418)
    expect(await answer.text()).toBe('tea\n')
    expect(answer.headers.get('x-provider')).toBe('yes')
    expect(answer.headers.get('content-type')).toBe('text/x')
    expect(answer.headers.get('x-call-id')).toBeNull()
    expect(api.seen).toMatchObject([{ method, target: path, body: body ?? '' }])
  })

  it.each([
    ['GET', '/system/secrets'],
    ['PUT', '/system/functions'],
    ['GET', '/system/function/x'],
    ['GET', '/system/namespaces'],
  ])('answer %s %s by an empty 502 when the provider cuts the connection', async (method, path) => {
    api.serve((_request, response) => response.socket?.resetAndDestroy())

    const answer = await api.call(method, path, method === 'PUT' ? { body: '{}' } : {})

    expect(answer.status).toBe(502)
    expect(await answer.text()).toBe('')
  })

  it('answer by an empty 502 when the provider hangs', async () => {
    api.serve(() => {})

    const answer = await api.call('GET', '/system/namespaces')

    expect([answer.status, await answer.text()]).toEqual([502, ''])
  })

  it.each([
    '/system/function/..%2Ffunctions',
    '/system/function/%2e%2e',
    '/system/function/..',
    '/system/function/.',
    '/system/function/x%00',
    '/system/function/x%0d%0aHost:%20y',
    `/system/function/${'x'.repeat(300)}`,
    '/system/function/',
    '/system/function/x/',
    '/system/function/%C3%A4',
    '/system/namespace/..',
    '/system/namespace/%2e%2e%2ffunctions',
    '/system/unknown',
  ])('answer %s without asking the provider', async (target) => {
    api.serve(json([]))

    const answer = await api.raw('GET', target)

    expect(answer.status).toBe(404)
    expect(answer.body.toString()).toBe('404 page not found\n')
    expect(api.seen).toEqual([])
  })

  it('name the methods of a path when another one is used', async () => {
    const answer = await api.raw('POST', '/system/info')

    expect(answer.status).toBe(405)
    expect(header(answer, 'allow')).toBe('GET')
  })

  it('keep hop-by-hop headers back, and join repeated ones', async () => {
    api.serve(json({}))

    await api.raw('GET', '/system/namespaces', [
      'X-Hop: 1',
      'Connection: x-hop',
      'Cookie: a=1',
      'Cookie: b=2',
      'X-Two: 1',
      'X-Two: 2',
    ])

    const { headers } = api.seen[0] ?? {}
    expect(headers?.['x-hop']).toBeUndefined()
    expect(headers).toMatchObject({ cookie: 'a=1; b=2', 'x-two': '1, 2' })
  })

  it.each(['/system/scale-function/echo', '/system/functions'])(
    "keep a client's fence back from %s, which only gateways may set",
    async (path) => {
      api.serve((_request, response) => response.writeHead(202).end())
      const body = '{"service":"echo","replicas":1}'

      const headers = { 'X-Pilotlight-Fence': '9007199254740990', 'X-Other': 'kept' }
      const answer = await api.call('POST', path, { body, headers })

      expect(answer.status).toBe(202)
      expect(api.seen[0]?.headers).toMatchObject({ 'x-other': 'kept' })
      expect(api.seen[0]?.headers).not.toHaveProperty('x-pilotlight-fence')
    },
  )

  it.each([
    { trustForwarded: true, chain: '9.9.9.9, 127.0.0.1', host: 'outer.test', proto: 'https' },
    { trustForwarded: false, chain: '127.0.0.1', host: 'gateway.test', proto: 'http' },
  ])('say who asked when trust is $trustForwarded', async ({ trustForwarded, chain, host, proto }) => {
    await using gateway = await SystemApi.start({}, { config: { trustForwarded } })
    gateway.serve(json({}))

    const fields = ['X-Forwarded-For: 9.9.9.9', 'X-Forwarded-Host: outer.test', 'X-Forwarded-Proto: https']
    await gateway.raw('GET', '/system/namespaces', fields)

    expect(gateway.seen[0]?.headers).toMatchObject({
      'x-forwarded-for': chain,
      'x-forwarded-host': host,
      'x-forwarded-proto': proto,
    })
  })

  it('stream a long body to the provider with its length', async () => {
    api.serve((request, response) => response.end(String(request.body.length)))

    const answer = await api.call('POST', '/system/secrets', { body: 'x'.repeat(3_000_000) })

    expect(await answer.text()).toBe('3000000')
    expect(api.seen[0]?.headers['content-length']).toBe('3000000')
  })

  it('send a chunked body on', async () => {
    api.serve((request, response) => response.end(request.body))
    await using connection = await RawConnection.open(api.url)

    await connection.send(requestBytes('POST', '/system/secrets', ['Transfer-Encoding: chunked']))
    await connection.send('5\r\nhello\r\n0\r\n\r\n')

    expect((await connection.response('POST')).body.toString()).toBe('hello')
  })

  it('show each piece of an answer as it comes', async () => {
    let finish = (): void => {}
    api.serve((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).write('first')
      finish = () => response.end('last')
    })
    await using connection = await RawConnection.open(api.url)

    await connection.send(requestBytes('GET', '/system/telemetry'))
    await connection.shows('first')
    finish()

    expect((await connection.response()).body.toString()).toBe('firstlast')
  })

  it.each([{ fields: {} }, { fields: { 'Content-Length': '1000' } }])(
    'cut the connection when the provider dies inside the body ($fields)',
    async ({ fields }) => {
      api.serve((_request, response) => {
        response.writeHead(200, fields)
        response.write('half', () => response.socket?.resetAndDestroy())
      })
      await using connection = await RawConnection.open(api.url)

      await connection.send(requestBytes('GET', '/system/namespaces'))

      expect((await connection.response()).complete).toBe(false)
    },
  )

  it('cancel the call when the client leaves before the answer', async () => {
    let cancelled = false
    api.serve((_request, response) => response.once('close', () => (cancelled = true)))
    const connection = await RawConnection.open(api.url)
    await connection.send(requestBytes('GET', '/system/namespaces'))
    await eventually('the call to arrive', () => api.seen.length === 1)

    connection.abort()

    await eventually('the call to be cancelled', () => cancelled, 500) // sooner than the call runs out of time
    await connection[Symbol.asyncDispose]()
  })

  it('cancel the call when the client leaves inside the answer', async () => {
    let cancelled = false
    api.serve((_request, response) => {
      response.once('close', () => (cancelled = true))
      response.write('first')
    })
    const connection = await RawConnection.open(api.url)
    await connection.send(requestBytes('GET', '/system/namespaces'))
    await connection.shows('first')

    connection.abort()

    await eventually('the call to be cancelled', () => cancelled, 500) // sooner than the call runs out of time
    await connection[Symbol.asyncDispose]()
  })

  it('send the credentials of the client when the gateway has none', async () => {
    api.serve(json({}))

    await api.call('GET', '/system/namespaces', { headers: { Authorization: 'Bearer client' } })

    expect(api.seen[0]?.headers.authorization).toBe('Bearer client')
  })
})
