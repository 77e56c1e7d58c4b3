import { describe, expect, it } from 'vitest'
import { fieldOf, fieldsOf } from '../../support/raw-response.ts'
import { eventually } from '../../support/eventually.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { type FunctionPath, readWhole } from './function-path.ts'

const verbs = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']

const targets = [
  '/function/echo',
  '/function/echo/',
  '/function/echo?',
  '/function/echo/?',
  '/function/echo/a%2Fb',
  '/function/echo/a%3Fb%23c',
  '/function/echo/100%25',
  '/function/echo/%2541',
  '/function/echo/%zz',
  '/function/echo//x///y',
  '/function/echo/./a/../b',
  '/function/echo/{a}|b^c',
  '/function/echo/caf%C3%A9',
  '/function/echo?q=%20&r=a+b&&=;%',
  '/function/echo/x?next=http://other.test/?a=b',
]

/** What the function gets of a request. */
export function describeRequests(path: () => FunctionPath): void {
  describe('request', () => {
    it.each(verbs)('keeps the verb %s', async (verb) => {
      expect((await path().seenBy(verb, '/function/echo')).method).toBe(verb)
    })

    it.each(targets)('keeps the target %s byte for byte', async (target) => {
      expect((await path().seenBy('GET', target)).target).toBe(target)
    })

    it.each(['POST', 'GET', 'DELETE'])('keeps the Content-Length of a %s body', async (verb) => {
      const seen = await path().seenBy(verb, '/function/echo', ['Content-Length: 5'], 'hello')

      expect(seen.body.toString()).toBe('hello')
      expect(fieldsOf(seen.fields, 'content-length')).toEqual(['5'])
      expect(fieldsOf(seen.fields, 'transfer-encoding')).toEqual([])
    })

    it('keeps the Content-Length of a body that is too big to be kept', async () => {
      const body = 'x'.repeat(300_000)

      const seen = await path().seenBy('PUT', '/function/echo', [`Content-Length: ${body.length}`], body)

      expect(seen.body.equals(Buffer.from(body))).toBe(true)
      expect(fieldsOf(seen.fields, 'content-length')).toEqual([String(body.length)])
    })

    it('keeps an empty POST at Content-Length 0', async () => {
      const seen = await path().seenBy('POST', '/function/echo', ['Content-Length: 0'])

      expect(fieldsOf(seen.fields, 'content-length')).toEqual(['0'])
    })

    it('gives a GET without a body no framing', async () => {
      const seen = await path().seenBy('GET', '/function/echo')

      expect(fieldsOf(seen.fields, 'content-length')).toEqual([])
      expect(fieldsOf(seen.fields, 'transfer-encoding')).toEqual([])
    })

    it('keeps a chunked body chunked', async () => {
      const seen = await path().seenBy(
        'POST',
        '/function/echo',
        ['Transfer-Encoding: chunked'],
        '5;a=b\r\nhello\r\n0\r\n\r\n',
      )

      expect(seen.body.toString()).toBe('hello')
      expect(fieldsOf(seen.fields, 'transfer-encoding')).toEqual(['chunked'])
      expect(fieldsOf(seen.fields, 'content-length')).toEqual([])
    })

    it('passes trailers on', async () => {
      const fields = ['Transfer-Encoding: chunked', 'Trailer: X-Sum']

      const seen = await path().seenBy('POST', '/function/echo', fields, '5\r\nhello\r\n0\r\nX-Sum: 42\r\n\r\n')

      expect(seen.body.toString()).toBe('hello')
      expect(fieldsOf(seen.trailers, 'x-sum')).toEqual(['42'])
    })

    it('keeps the case, order and repeats of headers', async () => {
      const seen = await path().seenBy('GET', '/function/echo', ['X-CaMeL: a', 'x-twice: 1', 'x-twice: 2', 'X-Empty:'])

      const own = seen.fields.filter(([name]) => /camel|twice|empty/i.test(name))
      expect(own).toEqual([
        ['X-CaMeL', 'a'],
        ['x-twice', '1'],
        ['x-twice', '2'],
        ['X-Empty', ''],
      ])
    })

    it('keeps bytes beyond ASCII in header values', async () => {
      const seen = await path().seenBy('GET', '/function/echo', ['X-Name: caf\u00e9'])

      expect(fieldOf(seen.fields, 'x-name')).toBe('caf\u00e9')
    })

    it('strips hop-by-hop headers and those named in Connection', async () => {
      const seen = await path().seenBy('GET', '/function/echo', [
        'Connection: close, X-This-Hop',
        'X-This-Hop: 1',
        'Keep-Alive: timeout=5',
        'TE: trailers',
        'Proxy-Authorization: Basic eDp5',
        'Proxy-Connection: keep-alive',
        'X-Kept: 1',
      ])

      const names = seen.fields.map(([name]) => name.toLowerCase())
      expect(names).not.toEqual(expect.arrayContaining(['x-this-hop']))
      for (const name of ['x-this-hop', 'keep-alive', 'te', 'proxy-authorization', 'proxy-connection']) {
        expect(names).not.toContain(name)
      }
      expect(names).toContain('x-kept')
    })

    it('frames a body although Connection names its framing', async () => {
      const fields = ['Connection: Content-Length, X-Forwarded-For, X-Call-Id', 'Content-Length: 5']

      const seen = await path().seenBy('POST', '/function/echo', fields, 'hello')

      expect(seen.body.toString()).toBe('hello')
      expect(fieldOf(seen.fields, 'x-forwarded-for')).toBe('127.0.0.1')
      expect(fieldOf(seen.fields, 'x-call-id')).toBeDefined()
    })

    it('names the upstream in Host and the original host in X-Forwarded-Host', async () => {
      const seen = await path().seenBy('GET', '/function/echo')

      expect(fieldsOf(seen.fields, 'host')).toEqual([new URL(path().provider.url).host])
      expect(fieldsOf(seen.fields, 'x-forwarded-host')).toEqual(['gateway.test'])
      expect(fieldsOf(seen.fields, 'x-forwarded-proto')).toEqual(['http'])
    })

    it('appends the peer without its port to X-Forwarded-For', async () => {
      const seen = await path().seenBy('GET', '/function/echo', [
        'X-Forwarded-For: 203.0.113.7',
        'X-Forwarded-For: 198.51.100.1',
      ])

      expect(fieldsOf(seen.fields, 'x-forwarded-for').join(', ')).toBe('203.0.113.7, 198.51.100.1, 127.0.0.1')
    })

    it('keeps X-Forwarded-Host and X-Forwarded-Proto of a front', async () => {
      const fields = ['X-Forwarded-Host: shop.test', 'X-Forwarded-Proto: https']

      const seen = await path().seenBy('GET', '/function/echo', fields)

      expect(fieldsOf(seen.fields, 'x-forwarded-host')).toEqual(['shop.test'])
      expect(fieldsOf(seen.fields, 'x-forwarded-proto')).toEqual(['https'])
    })

    it('makes X-Call-Id when there is none, a UUID', async () => {
      const seen = await path().seenBy('GET', '/function/echo')

      expect(fieldOf(seen.fields, 'x-call-id')).toMatch(
        /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
      )
    })

    it('keeps the X-Call-Id of the client and replaces an empty one', async () => {
      const kept = await path().seenBy('GET', '/function/echo', ['X-Call-Id: mine'])
      const made = await path().seenBy('GET', '/function/echo', ['X-Call-Id:'])

      expect(fieldsOf(kept.fields, 'x-call-id')).toEqual(['mine'])
      expect(fieldsOf(made.fields, 'x-call-id').join()).not.toBe('')
    })

    it('stamps X-Start-Time once, in nanoseconds', async () => {
      const before = BigInt(Date.now()) * 1_000_000n

      const seen = await path().seenBy('GET', '/function/echo', ['X-Start-Time: 1'])

      const stamps = fieldsOf(seen.fields, 'x-start-time')
      expect(stamps).toHaveLength(1)
      expect(BigInt(stamps[0] ?? '0')).toBeGreaterThanOrEqual(before - 1_000_000_000n) // the clock follows that of the machine by and by
    })

    it('adds neither User-Agent nor Accept-Encoding', async () => {
      const seen = await path().seenBy('GET', '/function/echo')

      expect(fieldsOf(seen.fields, 'user-agent')).toEqual([])
      expect(fieldsOf(seen.fields, 'accept-encoding')).toEqual([])
    })

    it('passes User-Agent, Accept-Encoding and Authorization as they are', async () => {
      const fields = ['User-Agent: curl/8', 'Accept-Encoding: br;q=1.0, gzip', 'Authorization: Bearer t']

      const seen = await path().seenBy('GET', '/function/echo', fields)

      expect(fieldsOf(seen.fields, 'user-agent')).toEqual(['curl/8'])
      expect(fieldsOf(seen.fields, 'accept-encoding')).toEqual(['br;q=1.0, gzip'])
      expect(fieldsOf(seen.fields, 'authorization')).toEqual(['Bearer t'])
    })

    it('passes a header of 1,000 KB', async () => {
      const value = 'v'.repeat(1_000_000)

      const seen = await path().seenBy('GET', '/function/echo', [`X-Big: ${value}`])

      expect(fieldOf(seen.fields, 'x-big')?.length).toBe(value.length)
    })

    it('accepts an absolute-form target', async () => {
      const seen = await path().seenBy('GET', 'http://other.test/function/echo/x?y=1')

      expect(seen.target).toBe('/function/echo/x?y=1')
    })
  })

  describe('100-continue', () => {
    it('is sent to a client that waits for it', async () => {
      path().serve((request, response) => {
        void readWhole(request).then(({ body }) => response.end(body))
      })
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', ['Expect: 100-continue', 'Content-Length: 5']))

      await client.shows('HTTP/1.1 100 Continue\r\n\r\n')
      await client.send('hello')

      const answer = await client.response('POST')
      expect(answer.status).toBe(200)
      expect(answer.body.toString()).toBe('hello')
    })

    it('is not sent while the function is being woken', async () => {
      const cold = path().deploy({ name: 'cold-continue', desired: 0, readyAfterMs: -1 })
      cold.handler = (request, response) => void readWhole(request).then(({ body }) => response.end(body))
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/cold-continue', ['Expect: 100-continue', 'Content-Length: 5']))
      await eventually('the scale call', () => path().provider.count('scale', 'cold-continue') === 1)

      expect(client.received.toString()).toBe('')

      cold.becomeReady()
      await client.shows('HTTP/1.1 100 Continue\r\n\r\n')
      await client.send('hello')
      expect((await client.response('POST')).body.toString()).toBe('hello')
    })
  })
}
