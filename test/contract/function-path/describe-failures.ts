import type { IncomingMessage, ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { header, requestBytes } from '../../support/raw-http.ts'
import type { FunctionPath } from './function-path.ts'

type Break = (request: IncomingMessage, response: ServerResponse) => void

function raw(...pieces: readonly string[]): Break {
  return (request, response) => {
    request.resume()
    for (const piece of pieces) response.socket?.write(piece)
    response.socket?.end()
  }
}

const withoutUsableHead: readonly { how: string; act: Break }[] = [
  { how: 'resets the connection', act: (request) => void request.socket.resetAndDestroy() },
  { how: 'closes the connection', act: (request) => void request.socket.destroy() },
  { how: 'sends half a head', act: raw('HTTP/1.1 200 OK\r\nContent-Le') },
  { how: 'sends something else than HTTP', act: raw('SSH-2.0-OpenSSH_9.2\r\n') },
  {
    how: 'sends a head without end',
    act: raw(`HTTP/1.1 200 OK\r\n${`X-Flood: ${'v'.repeat(1_000)}\r\n`.repeat(3_000)}`),
  },
  {
    how: 'sends two different lengths',
    act: raw('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Length: 6\r\n\r\nbody'),
  },
  {
    how: 'sends length and chunks',
    act: raw('HTTP/1.1 200 OK\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n'),
  },
]

function cutAfter(head: Readonly<Record<string, string>>, how: 'close' | 'reset'): Break {
  return (request, response) => {
    request.resume()
    response.writeHead(200, head)
    response.write('part', () => (how === 'close' ? response.socket?.destroy() : response.socket?.resetAndDestroy()))
  }
}

const truncations: readonly { what: string; act: Break }[] = [
  { what: 'a chunked body by closing', act: cutAfter({}, 'close') },
  { what: 'a chunked body by a reset', act: cutAfter({}, 'reset') },
  { what: 'a body with Content-Length by closing', act: cutAfter({ 'Content-Length': '100' }, 'close') },
  { what: 'a body with Content-Length by a reset', act: cutAfter({ 'Content-Length': '100' }, 'reset') },
  {
    what: 'a body with a broken chunk',
    act: raw('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\npart\r\nzz\r\n'),
  },
]

/** What a client gets when the function fails, and what a function gets when the client does. */
export function describeFailures(path: () => FunctionPath): void {
  describe('function that fails', () => {
    it.each(withoutUsableHead)('and $how is an empty 502', async ({ act }) => {
      path().serve(act)

      const answer = await path().call('POST', '/function/echo', ['Content-Length: 2'], 'hi')

      expect(answer.status).toBe(502)
      expect(answer.body.toString()).toBe('')
      expect(answer.complete).toBe(true)
      expect(header(answer, 'x-call-id')).toBeDefined()
    })

    it('and refuses connections is an empty 502', async () => {
      await path().provider.refuse()

      const answer = await path().call('GET')

      expect(answer.status).toBe(502)
      expect(answer.body.toString()).toBe('')
    })

    it.each(truncations)('and truncates $what never looks whole', async ({ act }) => {
      path().serve(act)
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))

      await client.closed()
      const answer = await client.begun()

      expect(answer.status).toBe(200)
      expect(answer.complete).toBe(false)
    })

    it('and truncates an answer to HTTP/1.0 resets the connection', async () => {
      path().serve(cutAfter({}, 'reset'))
      await using client = await path().open()
      await client.send('GET /function/echo HTTP/1.0\r\n\r\n')

      expect(await client.closed()).toBe('reset')
    })

    it('is followed by one that works, on the same client connection', async () => {
      path().serve((request) => void request.socket.destroy())
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      expect((await client.response()).status).toBe(502)

      path().serve((_request, response) => response.end('back'))
      await client.send(requestBytes('GET', '/function/echo'))

      expect((await client.response()).body.toString()).toBe('back')
    })
  })

  describe('kept connection that the function closes as the next call comes', () => {
    it.each([
      { method: 'GET', status: 200, times: 3 },
      { method: 'POST', status: 502, times: 2 },
    ])('is a $status for a $method', async ({ method, status, times }) => {
      const used = new WeakSet<object>()
      path().serve((request, response) => {
        if (used.has(request.socket)) {
          request.socket.destroy()
          return
        }
        used.add(request.socket)
        request.resume()
        response.end('hello')
      })
      const first = await path().call(method)
      const before = path().provider.count('invoke')

      const second = await path().call(method)

      expect(first.status).toBe(200)
      expect(second.status).toBe(status)
      expect(path().provider.count('invoke') - before).toBeLessThan(times)
    })
  })

  describe('answer whose end is the end of the connection', () => {
    it('is delivered whole', async () => {
      path().serve(raw('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n', 'all of it'))

      const answer = await path().call('GET')

      expect(answer.body.toString()).toBe('all of it')
      expect(answer.complete).toBe(true)
    })

    it('never looks whole when the connection is reset', async () => {
      path().serve((_request, response) => {
        response.socket?.write('HTTP/1.1 200 OK\r\nConnection: close\r\n\r\npart', () =>
          response.socket?.resetAndDestroy(),
        )
      })
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))

      await client.closed()

      await expect(client.begun().then((answer) => answer.status === 502 || !answer.complete)).resolves.toBe(true)
    })
  })

  describe('client that leaves', () => {
    it('cancels a call whose answer has not begun', async () => {
      const reached = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => reached.resolve(response))
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      const upstream = await reached.promise

      client.abort()

      await eventually('the function to see the close', () => upstream.destroyed)
    })

    it('cancels an answer under way', async () => {
      const reached = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => {
        response.write('part')
        reached.resolve(response)
      })
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      await client.shows('part')
      const upstream = await reached.promise

      client.abort()

      await eventually('the function to see the close', () => upstream.destroyed)
    })

    it.each([
      { framing: 'Content-Length: 1000000', body: 'part' },
      { framing: 'Content-Length: 100', body: 'part' },
      { framing: 'Transfer-Encoding: chunked', body: '4\r\npart\r\n' },
    ])('inside its body ($framing) leaves the function no whole request', async ({ framing, body }) => {
      const ends: string[] = []
      path().serve((request) => {
        request.resume()
        request.once('end', () => ends.push('whole'))
        request.once('close', () => ends.push('closed'))
      })
      const calls = path().provider.count('invoke')
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', [framing]) + body)
      if (framing !== 'Content-Length: 100') {
        await eventually('the function to get the head', () => path().provider.count('invoke') > calls)
      }

      client.abort()

      const reached = path().provider.count('invoke') > calls
      if (reached) await eventually('the function to see the close', () => ends.includes('closed'))
      expect(ends).not.toContain('whole')
    })
  })
}
