import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { header, requestBytes } from '../../support/raw-http.ts'
import { type FunctionPath, readWhole } from './function-path.ts'

/** How connections of clients are kept, shared by requests in a row, and closed. */
export function describeConnections(path: () => FunctionPath): void {
  describe('connection', () => {
    it('is kept for the next request', async () => {
      await using client = await path().open()

      for (let i = 0; i < 3; i += 1) {
        await client.send(requestBytes('GET', '/function/echo'))
        expect((await client.response()).status).toBe(200)
      }

      expect(client.closing).toBe('open')
    })

    it('is kept after a request with a body and after a HEAD', async () => {
      path().serve((request, response) => void readWhole(request).then(({ body }) => response.end(body)))
      await using client = await path().open()

      await client.send(`${requestBytes('POST', '/function/echo', ['Content-Length: 5'])}hello`)
      expect((await client.response('POST')).body.toString()).toBe('hello')
      await client.send(requestBytes('HEAD', '/function/echo'))
      expect((await client.response('HEAD')).status).toBe(200)
      await client.send(
        `${requestBytes('POST', '/function/echo', ['Transfer-Encoding: chunked'])}3\r\nabc\r\n0\r\n\r\n`,
      )
      expect((await client.response('POST')).body.toString()).toBe('abc')
    })

    it('answers pipelined requests in their order', async () => {
      const lastReached = Promise.withResolvers<void>()
      path().serve((request, response) => {
        const order = new URL(request.url ?? '', 'http://x').searchParams.get('n')
        if (order === '3') lastReached.resolve()
        void lastReached.promise.then(() => response.end(`answer ${order}`))
      })
      await using client = await path().open()
      await client.send([1, 2, 3].map((n) => requestBytes('GET', `/function/echo?n=${n}`)).join(''))

      const bodies = [await client.response(), await client.response(), await client.response()].map(({ body }) =>
        body.toString(),
      )

      expect(bodies).toEqual(['answer 1', 'answer 2', 'answer 3'])
    })

    it('is closed after the answer when the client says so', async () => {
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', ['Connection: close']))

      const answer = await client.response()

      expect(header(answer, 'connection')).toBe('close')
      expect(await client.closed()).toBe('end')
    })

    it('is not closed because the function closes its own', async () => {
      path().serve((_request, response) => response.writeHead(200, { Connection: 'close' }).end('bye'))
      await using client = await path().open()

      for (let i = 0; i < 2; i += 1) {
        await client.send(requestBytes('GET', '/function/echo'))
        expect((await client.response()).body.toString()).toBe('bye')
      }
    })

    it('serves HTTP/1.0 without chunks and closes', async () => {
      path().serve((_request, response) => {
        response.write('one,')
        response.end('two')
      })
      await using client = await path().open()
      await client.send('GET /function/echo HTTP/1.0\r\n\r\n')

      await client.closed()
      const answer = await client.response()

      expect(answer.status).toBe(200)
      expect(header(answer, 'transfer-encoding')).toBeUndefined()
      expect(answer.body.toString()).toBe('one,two')
    })

    it('that the client half-closes counts as left, as it does for OpenFaaS', async () => {
      const reached = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => reached.resolve(response))
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      const upstream = await reached.promise

      client.halfClose()

      expect(await client.closed()).toBe('end')
      await eventually('the function to see the close', () => upstream.destroyed)
    })

    it('takes a head that arrives byte by byte', async () => {
      await using client = await path().open()

      for (const byte of requestBytes('GET', '/function/echo')) await client.send(byte)

      expect((await client.response()).status).toBe(200)
    })

    it('to the function is reused by calls in a row', async () => {
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      await client.response()
      const before = path().provider.connections

      for (let i = 0; i < 20; i += 1) {
        await client.send(requestBytes('GET', '/function/echo'))
        await client.response()
      }

      expect(path().provider.connections).toBeLessThanOrEqual(before + 1)
    })
  })
}
