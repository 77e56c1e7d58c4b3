import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { header } from '../../support/raw-http.ts'
import { fieldsOf } from '../../support/raw-response.ts'
import type { FunctionPath } from './function-path.ts'

/** What the client gets of an answer. */
export function describeAnswers(path: () => FunctionPath): void {
  describe('answer', () => {
    it.each([200, 201, 202, 299, 400, 401, 404, 409, 418, 429, 500, 502, 503, 504])(
      'keeps status %i and its body',
      async (status) => {
        path().serve((_request, response) => response.writeHead(status, { 'X-Own': '1' }).end('body'))

        const answer = await path().call('GET')

        expect(answer.status).toBe(status)
        expect(header(answer, 'x-own')).toBe('1')
        expect(answer.body.toString()).toBe('body')
      },
    )

    it('keeps the Content-Length', async () => {
      path().serve((_request, response) => response.writeHead(200, { 'Content-Length': '4' }).end('body'))

      const answer = await path().call('GET')

      expect(fieldsOf(answer.fields, 'content-length')).toEqual(['4'])
      expect(fieldsOf(answer.fields, 'transfer-encoding')).toEqual([])
    })

    it('keeps 1 MiB of bytes as they are', async () => {
      const body = Buffer.from(Array.from({ length: 1 << 20 }, (_, i) => (i * 31) & 0xff))
      path().serve((_request, response) => response.writeHead(200, { 'Content-Length': body.length }).end(body))

      const answer = await path().call('GET')

      expect(answer.body.equals(body)).toBe(true)
    })

    it.each([200, 404])('answers HEAD with status %i, the Content-Length of the GET and no body', async (status) => {
      path().serve((_request, response) => response.writeHead(status, { 'Content-Length': '1234' }).end())
      await using client = await path().open()
      await client.send('HEAD /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')

      const answer = await client.response('HEAD')
      await client.closed()

      expect(answer.status).toBe(status)
      expect(header(answer, 'content-length')).toBe('1234')
      expect(client.received.length).toBe(0)
    })

    it.each([204, 304])('passes a %i without a body', async (status) => {
      path().serve((_request, response) => response.writeHead(status, { ETag: '"1"' }).end())
      await using client = await path().open()
      await client.send('GET /function/echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')

      const answer = await client.response()
      await client.closed()

      expect(answer.status).toBe(status)
      expect(header(answer, 'etag')).toBe('"1"')
      expect(header(answer, 'transfer-encoding')).toBeUndefined()
      expect(client.received.length).toBe(0)
    })

    it('keeps every Set-Cookie', async () => {
      path().serve((_request, response) => response.writeHead(200, { 'Set-Cookie': ['a=1, b', 'c=2'] }).end())

      expect(fieldsOf((await path().call('GET')).fields, 'set-cookie')).toEqual(['a=1, b', 'c=2'])
    })

    it('keeps the case of header names', async () => {
      path().serve((_request, response) => response.writeHead(200, { 'x-MiXed': '1', ETAG: '2' }).end())

      const names = (await path().call('GET')).fields.map(([name]) => name)

      expect(names).toContain('x-MiXed')
      expect(names).toContain('ETAG')
    })

    it('passes a redirect on instead of following it', async () => {
      path().serve((_request, response) => response.writeHead(302, { Location: '/elsewhere?x=%2F' }).end())

      const answer = await path().call('GET')

      expect(answer.status).toBe(302)
      expect(header(answer, 'location')).toBe('/elsewhere?x=%2F')
    })

    it('leaves gzip alone', async () => {
      const body = gzipSync('text '.repeat(500))
      path().serve((_request, response) => response.writeHead(200, { 'Content-Encoding': 'gzip' }).end(body))

      const answer = await path().call('GET')

      expect(header(answer, 'content-encoding')).toBe('gzip')
      expect(answer.body.equals(body)).toBe(true)
    })

    it('strips hop-by-hop headers and those named in Connection', async () => {
      path().serve((_request, response) => {
        response.writeHead(200, {
          Connection: 'keep-alive, X-This-Hop',
          'X-This-Hop': '1',
          'Keep-Alive': 'timeout=77',
          'Proxy-Authenticate': 'Basic',
          Upgrade: 'h2c',
          'X-Kept': '1',
        })
        response.end()
      })

      const answer = await path().call('GET')

      for (const name of ['x-this-hop', 'proxy-authenticate', 'upgrade'])
        expect(fieldsOf(answer.fields, name)).toEqual([])
      expect(fieldsOf(answer.fields, 'keep-alive')).not.toContain('timeout=77')
      expect(header(answer, 'x-kept')).toBe('1')
    })

    it('passes trailers on', async () => {
      path().serve((_request, response) => {
        response.writeHead(200, { Trailer: 'X-Sum, Grpc-Status' })
        response.write('body')
        response.addTrailers({ 'X-Sum': '42', 'Grpc-Status': '0' })
        response.end()
      })

      const answer = await path().call('GET')

      expect(header(answer, 'trailer')).toBe('X-Sum, Grpc-Status')
      expect(answer.body.toString()).toBe('body')
      expect(answer.trailers).toEqual([
        ['X-Sum', '42'],
        ['Grpc-Status', '0'],
      ])
    })

    it('passes early hints on before the answer', async () => {
      const released = Promise.withResolvers<void>()
      path().serve((_request, response) => {
        response.writeEarlyHints({ link: '</style.css>; rel=preload; as=style' })
        void released.promise.then(() => response.end('late'))
      })
      await using client = await path().open()
      await client.send('GET /function/echo HTTP/1.1\r\nHost: x\r\n\r\n')

      await client.shows('HTTP/1.1 103 Early Hints')
      released.resolve()
      const answer = await client.response()

      expect(answer.informational.map(({ status }) => status)).toEqual([103])
      expect(fieldsOf(answer.informational[0]?.fields ?? [], 'link')).toEqual(['</style.css>; rel=preload; as=style'])
      expect(answer.body.toString()).toBe('late')
    })

    it('passes the answer on whose early hints node:http refuses, legal as they are', async () => {
      path().serve((request, response) => {
        request.socket.write('HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload; title="a b"\r\n\r\n')
        response.end('whole')
      })

      const answer = await path().call('GET')

      expect(answer.status).toBe(200)
      expect(answer.body.toString()).toBe('whole')
    })

    it('echoes the call id, made or given, and names start and server once', async () => {
      const made = await path().call('GET')
      const given = await path().call('GET', '/function/echo', ['X-Call-Id: mine'])

      expect(header(made, 'x-call-id')).toMatch(/^[0-9a-f-]{36}$/)
      expect(fieldsOf(given.fields, 'x-call-id')).toEqual(['mine'])
      expect(fieldsOf(given.fields, 'x-start-time')).toHaveLength(1)
      expect(header(given, 'x-start-time')).toMatch(/^\d{19}$/)
      expect(fieldsOf(given.fields, 'x-served-by')).toHaveLength(1)
    })

    it("prefers the function's own headers to its own", async () => {
      path().serve((_request, response) => response.writeHead(200, { 'X-Served-By': 'me', 'X-Call-Id': 'other' }).end())

      const answer = await path().call('GET')

      expect(fieldsOf(answer.fields, 'x-served-by')).toEqual(['me'])
      expect(fieldsOf(answer.fields, 'x-call-id')).toEqual(['other'])
    })

    it('carries exactly one Date and no Server of its own', async () => {
      path().serve((_request, response) => response.writeHead(200, { Date: 'Thu, 01 Jan 2026 00:00:00 GMT' }).end())

      const answer = await path().call('GET')

      expect(fieldsOf(answer.fields, 'date')).toEqual(['Thu, 01 Jan 2026 00:00:00 GMT'])
      expect(fieldsOf(answer.fields, 'server')).toEqual([])
    })
  })
}
