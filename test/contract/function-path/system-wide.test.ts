import { describe, expect, it } from 'vitest'
import { header, rawRequest, requestBytes } from '../../support/raw-http.ts'
import { useFunctionPath } from './function-path.ts'

describe('gateway as a web server', () => {
  const path = useFunctionPath('h1')

  it.each([
    '/nosuch',
    '/function',
    '/function/',
    '/functions/echo',
    '/system',
    '/system/functions/',
    '/system/function/x/',
    '/healthz/',
  ])('answers GET %s with a 404 as Go does', async (target) => {
    const answer = await path().call('GET', target)

    expect(answer.status).toBe(404)
    expect(header(answer, 'content-type')).toBe('text/plain; charset=utf-8')
    expect(header(answer, 'x-content-type-options')).toBe('nosniff')
    expect(answer.body.toString()).toBe('404 page not found\n')
  })

  it.each([
    { method: 'PATCH', target: '/system/functions', allowed: 'GET' },
    { method: 'GET', target: '/system/scale-function/echo', allowed: 'POST' },
    { method: 'POST', target: '/healthz', allowed: 'GET' },
    { method: 'DELETE', target: '/system/info', allowed: 'GET' },
  ])('answers $method $target with an empty 405 that names $allowed', async ({ method, target, allowed }) => {
    const answer = await path().call(method, target)

    expect(answer.status).toBe(405)
    expect(answer.body.toString()).toBe('')
    expect(header(answer, 'allow')?.split(/,\s*/)).toContain(allowed)
  })

  it('sends a browser from / to /ui/', async () => {
    const answer = await path().call('GET', '/')

    expect(answer.status).toBe(307)
    expect(header(answer, 'location')).toBe('/ui/')
  })

  it.each(['GET', 'HEAD'])('answers %s /healthz on both ports while the provider is down', async (method) => {
    await path().provider.refuse()

    for (const url of [path().gateway.url, path().gateway.metricsUrl]) {
      const answer = await rawRequest(url, requestBytes(method, '/healthz', ['Connection: close']), method)
      expect(answer.status).toBe(200)
      expect(answer.body.length).toBe(method === 'HEAD' ? 0 : Number(header(answer, 'content-length')))
    }
  })

  it('answers GET /readyz on both ports when it serves', async () => {
    for (const url of [path().gateway.url, path().gateway.metricsUrl]) {
      expect((await rawRequest(url, requestBytes('GET', '/readyz', ['Connection: close']))).status).toBe(200)
    }
  })

  it('answers an empty 405 to anything but GET and HEAD on the health page of the metrics port', async () => {
    const answer = await rawRequest(
      path().gateway.metricsUrl,
      requestBytes('POST', '/healthz', ['Connection: close']),
      'POST',
    )

    expect(answer.status).toBe(405)
    expect(answer.body.toString()).toBe('')
  })

  it('keeps call headers to functions: system routes carry none', async () => {
    const answer = await path().call('GET', '/system/functions')

    expect(answer.status).toBe(200)
    expect(header(answer, 'x-call-id')).toBeUndefined()
    expect(header(answer, 'x-start-time')).toBeUndefined()
  })
})
