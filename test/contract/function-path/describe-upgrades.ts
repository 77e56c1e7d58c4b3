import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { eventually } from '../../support/eventually.ts'
import { header, requestBytes } from '../../support/raw-http.ts'
import type { ScriptedFunction } from '../../support/scripted-function.ts'
import type { FunctionPath } from './function-path.ts'

const handshake = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
]

/** That a connection can change its protocol, through a tunnel. */
export function describeUpgrades(path: () => FunctionPath): void {
  describe('upgrade', () => {
    it('carries a WebSocket both ways, text and bytes, small and large', async () => {
      echoWebSockets(path().echo)
      using client = await connected(path(), '/function/echo/chat?room=1')

      expect((await client.echoed('hello')).toString()).toBe('hello')
      const large = Buffer.alloc(300_000, 7)
      expect((await client.echoed(large)).equals(large)).toBe(true)
    })

    it('passes target and headers of the handshake on', async () => {
      const seen = Promise.withResolvers<IncomingMessage>()
      echoWebSockets(path().echo, (request) => seen.resolve(request))
      using _client = await connected(path(), '/function/echo/a%2Fb?room=1', { 'X-Own': '1', 'X-Call-Id': 'mine' })

      const request = await seen.promise
      expect(request.url).toBe('/function/echo/a%2Fb?room=1')
      expect(request.headers['x-own']).toBe('1')
      expect(request.headers['x-call-id']).toBe('mine')
      expect(request.headers['x-forwarded-for']).toBe('127.0.0.1')
      expect(request.headers['x-forwarded-host']).toBe(new URL(path().gateway.url).host)
      expect(request.headers['x-start-time']).toMatch(/^\d{19}$/)
    })

    it('echoes the call id in its 101', async () => {
      echoWebSockets(path().echo)
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', [...handshake, 'X-Call-Id: mine']))

      const answer = await client.begun()

      expect(answer.status).toBe(101)
      expect(header(answer, 'upgrade')).toBe('websocket')
      expect(header(answer, 'sec-websocket-accept')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
      expect(header(answer, 'x-call-id')).toBe('mine')
    })

    it('keeps bytes that come in one packet with the handshake, on both sides', async () => {
      path().echo.upgrade = (_request, socket, head) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nwelcome;')
        if (head.length > 0) socket.write(`got ${head.toString()};`)
        socket.on('data', (piece: Buffer) => socket.write(`got ${piece.toString()};`))
      }
      await using client = await path().open()
      await client.send(`${requestBytes('GET', '/function/echo', handshake)}early`)

      await client.shows('welcome;')
      await client.shows('got early;')
    })

    it('wakes a function for a WebSocket', async () => {
      const cold = path().deploy({ name: 'cold-socket', desired: 0, readyAfterMs: 50 })
      echoWebSockets(cold)

      using client = await connected(path(), '/function/cold-socket')

      expect((await client.echoed('hello')).toString()).toBe('hello')
      expect(path().provider.count('scale', 'cold-socket')).toBe(1)
    })

    it('of an unknown function is answered 404 and closed', async () => {
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/nosuch', handshake))

      const answer = await client.response()

      expect(answer.status).toBe(404)
      expect(answer.complete).toBe(true)
      expect(await client.closed()).not.toBe('open')
    })

    it('passes on an answer other than 101 and its body', async () => {
      path().echo.upgrade = (_request, socket) =>
        void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 6\r\nX-Own: 1\r\nConnection: close\r\n\r\nno way')
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', handshake))

      const answer = await client.response()

      expect(answer.status).toBe(403)
      expect(header(answer, 'x-own')).toBe('1')
      expect(answer.body.toString()).toBe('no way')
      expect(answer.complete).toBe(true)
    })

    it('answers 502 when the function resets instead of answering', async () => {
      path().echo.upgrade = (_request, socket) => void socket.destroy()
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', handshake))

      expect((await client.response()).status).toBe(502)
    })

    it('closes the function side when the client leaves', async () => {
      const opened = Promise.withResolvers<Duplex>()
      path().echo.upgrade = (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        opened.resolve(socket)
      }
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', handshake))
      await client.begun()
      const upstream = await opened.promise
      upstream.resume()

      client.abort()

      await eventually('the function to see the close', () => upstream.destroyed || upstream.readableEnded)
    })

    it('closes the client side when the function leaves', async () => {
      const opened = Promise.withResolvers<Duplex>()
      path().echo.upgrade = (_request, socket) => {
        socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
        opened.resolve(socket)
      }
      await using client = await path().open()
      await client.send(requestBytes('GET', '/function/echo', handshake))
      await client.begun()

      const upstream = await opened.promise
      upstream.destroy()

      expect(await client.closed()).not.toBe('open')
    })

    it('treats an offer of another protocol as a plain request', async () => {
      const seen = await path().seenBy('GET', '/function/echo', [
        'Connection: Upgrade, HTTP2-Settings',
        'Upgrade: h2c',
        'HTTP2-Settings: AAMAAABk',
      ])

      expect(seen.fields.map(([name]) => name.toLowerCase())).not.toContain('upgrade')
    })
  })
}

function echoWebSockets(target: ScriptedFunction, onHandshake: (request: IncomingMessage) => void = () => {}): void {
  const sockets = new WebSocketServer({ noServer: true })
  target.upgrade = (request, socket, head) => {
    onHandshake(request)
    sockets.handleUpgrade(request, socket, head, (one) => {
      one.on('error', () => {})
      one.on('message', (data, isBinary) => one.send(data, { binary: isBinary }))
    })
  }
}

interface Client extends Disposable {
  /** Sends a message and resolves with the next one that comes back. */
  echoed(message: string | Buffer): Promise<Buffer>
}

function connected(
  path: FunctionPath,
  target: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Client> {
  const socket = new WebSocket(path.gateway.url.replace('http', 'ws') + target, { headers })
  return new Promise((resolve, reject) => {
    socket.once('error', reject)
    socket.once('open', () => {
      resolve({
        echoed: (message) => {
          socket.send(message)
          return new Promise((got) => socket.once('message', (data) => got(data as Buffer))) // ws delivers a Buffer by default
        },
        [Symbol.dispose]: () => socket.terminate(),
      })
    })
  })
}
