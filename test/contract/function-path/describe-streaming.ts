import type { ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { requestBytes } from '../../support/raw-http.ts'
import type { FunctionPath } from './function-path.ts'

const streams = [
  { kind: 'server-sent events', type: 'text/event-stream', pieces: ['data: 1\n\n', 'data: 2\n\n', 'data: 3\n\n'] },
  { kind: 'NDJSON', type: 'application/x-ndjson', pieces: ['{"n":1}\n', '{"n":2}\n', '{"n":3}\n'] },
  { kind: 'plain chunks', type: 'text/plain', pieces: ['a', 'b', 'c'] },
]

/** That bytes move when they are there, both ways, and stop when nobody takes them. */
export function describeStreaming(path: () => FunctionPath): void {
  describe('streaming', () => {
    it.each(streams)('delivers each piece of $kind before the next is written', async ({ type, pieces }) => {
      const opened = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => opened.resolve(response.writeHead(200, { 'Content-Type': type })))
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', ['Accept: */*']))
      const response = await opened.promise

      for (const piece of pieces) {
        response.write(piece)
        await client.shows(piece)
      }
      response.end()

      const answer = await client.response()
      expect(answer.complete).toBe(true)
      expect(answer.body.toString()).toBe(pieces.join(''))
    })

    it('delivers the head of a long poll before there is a body', async () => {
      const opened = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => {
        response.writeHead(200, { 'Content-Type': 'text/plain' })
        response.flushHeaders()
        opened.resolve(response)
      })
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))

      expect((await client.begun()).status).toBe(200)

      const response = await opened.promise
      response.end('news')
      expect((await client.response()).body.toString()).toBe('news')
    })

    it('delivers pieces of an answer with a Content-Length as they come', async () => {
      const opened = Promise.withResolvers<ServerResponse>()
      path().serve((_request, response) => opened.resolve(response.writeHead(200, { 'Content-Length': '6' })))
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo'))
      const response = await opened.promise

      response.write('abc')
      await client.shows('\r\n\r\nabc')
      response.end('def')

      expect((await client.response()).body.toString()).toBe('abcdef')
    })

    it('hands each piece of a request body to the function before the next is sent', async () => {
      const received: string[] = []
      path().serve((request, response) => {
        request.on('data', (piece: Buffer) => received.push(piece.toString()))
        request.on('end', () => response.end('thanks'))
      })
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', ['Transfer-Encoding: chunked']))

      for (const piece of ['one', 'two', 'three']) {
        await client.send(`${piece.length.toString(16)}\r\n${piece}\r\n`)
        await eventually(`the function to get ${piece}`, () => received.join('').endsWith(piece))
      }
      await client.send('0\r\n\r\n')

      expect((await client.response('POST')).body.toString()).toBe('thanks')
    })

    it('runs both ways at once', async () => {
      path().serve((request, response) => {
        response.writeHead(200)
        request.on('data', (piece: Buffer) => response.write(`<${piece.toString()}>`))
        request.on('end', () => response.end())
      })
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', ['Transfer-Encoding: chunked']))

      for (const piece of ['one', 'two']) {
        await client.send(`3\r\n${piece}\r\n`)
        await client.shows(`<${piece}>`)
      }
      await client.send('0\r\n\r\n')

      expect((await client.response('POST')).body.toString()).toBe('<one><two>')
    })

    it('delivers an answer that comes before the request body is sent', async () => {
      path().serve((_request, response) => response.writeHead(413, { Connection: 'close' }).end('too much'))
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', ['Content-Length: 10000000']))
      await client.send('x'.repeat(1000))

      const answer = await client.begun('POST')

      expect(answer.status).toBe(413)
    })

    it('makes a fast function wait for a slow client', async () => {
      const pieceBytes = 64 * 1024
      // The kernel by itself keeps many MiB in the four socket buffers on the way.
      const wantedBytes = 64 * 1024 * 1024
      let written = 0
      path().deploy({ name: 'other' })
      path().serve((_request, response) => {
        response.writeHead(200, { 'Content-Length': wantedBytes })
        const more = (): void => {
          while (written < wantedBytes && !response.destroyed) {
            written += pieceBytes
            if (!response.write(Buffer.alloc(pieceBytes))) return
          }
          response.end()
        }
        response.on('drain', more)
        more()
      })
      await using client = await path().open()
      client.socket.pause()
      await client.send(requestBytes('GET', '/function/echo'))

      const stalledAt = await stalled(path(), () => written)

      expect(stalledAt).toBeGreaterThan(0)
      expect(stalledAt).toBeLessThan(wantedBytes / 2)
      client.socket.resume()
      expect((await client.response()).body.length).toBe(wantedBytes)
    })

    it('makes a fast client wait for a slow function', async () => {
      const opened = Promise.withResolvers<() => void>()
      path().deploy({ name: 'other' })
      path().serve((request, response) => {
        request.on('end', () => response.end('read'))
        opened.resolve(() => request.resume())
      })
      const pieceBytes = 64 * 1024
      const pieces = 400
      await using client = await path().open()
      await client.send(requestBytes('POST', '/function/echo', [`Content-Length: ${pieces * pieceBytes}`]))
      let sent = 0
      const sending = (async () => {
        for (; sent < pieces; sent += 1) await client.send(Buffer.alloc(pieceBytes))
      })()
      const read = await opened.promise

      const stalledAt = await stalled(path(), () => sent)

      expect(stalledAt).toBeLessThan(pieces / 2)
      read()
      await sending
      expect((await client.response('POST')).body.toString()).toBe('read')
    })
  })
}

/**
 * Resolves with the value of a counter once it stays the same while the gateway answers many other calls: bytes that could
 * move would have moved.
 */
async function stalled(path: FunctionPath, counter: () => number): Promise<number> {
  let last = 0
  for (let quiet = 0; quiet < 50;) {
    await path.call('GET', '/function/other')
    quiet = counter() === last && last > 0 ? quiet + 1 : 0
    last = counter()
  }
  return last
}
