import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { endToEndHeaders, HttpListener, type Reply } from '#core'
import { HttpProxyForwarder } from '../../../core/http/http-proxy-forwarder.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, requestBytes } from '../../support/raw-http.ts'

guardAgainstLeaks()

const handshake = requestBytes('GET', '/', ['Connection: Upgrade', 'Upgrade: websocket'])
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n'

let clock: FakeClock
let upstream: Server
let forwarder: HttpProxyForwarder
let listener: HttpListener
let url: string
/** The upstream's side of each tunnel, and how it answers the handshake. */
let tunnels: Socket[]
let head: string
let ends: string[]

beforeEach(async () => {
  clock = new FakeClock()
  tunnels = []
  ends = []
  head = `${switching}\r\n`
  upstream = createServer()
  upstream.on('upgrade', (_request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => {})
    tunnels.push(socket)
    socket.resume()
    socket.write(head)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo // a TCP server's address
  const options = { maxConnectionsPerUpstream: 10, maxHeaderBytes: 65_536, connectTimeoutMs: 1_000 }
  forwarder = new HttpProxyForwarder({ clock, options })
  listener = new HttpListener({
    handle: async (request): Promise<Reply> => {
      const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
      const origin = `http://127.0.0.1:${port}`
      const tunnelHeaders = { 'x-call-id': '7' }
      const call = { request, origin, path: '/', headers, timeoutMs: 0, tunnelHeaders }
      const reply = await forwarder.forward(call)
      reply.onEnd((end) => ends.push(end))
      return reply
    },
    readTimeoutMs: 30_000,
    maxHeaderBytes: 65_536,
    maxHeaderLines: 100,
    replayBodyBytes: 0,
    onFailure: () => {},
    onError: () => {},
    clock,
  })
  url = `http://127.0.0.1:${await listener.listen('127.0.0.1', 0)}`
})

afterEach(async () => {
  await listener[Symbol.asyncDispose]()
  await forwarder[Symbol.asyncDispose]()
  for (const socket of tunnels) socket.destroy()
  await new Promise((resolve) => upstream.close(resolve))
})

/** Opens a tunnel through the listener; its client stays open when the other side ends. */
async function openTunnel(): Promise<{ client: RawConnection; server: Socket }> {
  const client = await RawConnection.open(url)
  await client.send(handshake)
  await client.shows('\r\n\r\n')
  const server = await eventually('the tunnel', () => tunnels[0])
  return { client, server }
}

describe('a tunnel', () => {
  it('ends five seconds after its function has ended its side, although the client stays', async () => {
    const { client, server } = await openTunnel()
    await using _client = client

    server.end('goodbye')
    await client.shows('goodbye')
    await client.closed()
    await eventually('the time limit', () => clock.pending === 1)
    await clock.advance(4_999)
    const before = [...ends]
    await clock.advance(1)
    await eventually('the end', () => ends.length === 1)

    expect(before).toEqual([])
    expect(ends).toEqual(['complete'])
    expect(clock.pending).toBe(0)
  })

  it('ends five seconds after its client has ended its side, although the function stays', async () => {
    const { client } = await openTunnel()
    await using _client = client

    client.halfClose()
    await eventually('the time limit', () => clock.pending === 1)
    await clock.advance(5_000)
    await eventually('the end', () => ends.length === 1)

    expect(ends).toEqual(['complete'])
  })

  it('ends within five seconds of the moment when its function breaks it off', async () => {
    const { client, server } = await openTunnel()
    await using _client = client

    server.resetAndDestroy()
    await eventually('the end', async () => {
      await clock.advance(5_000)
      return ends.length === 1
    })

    expect(await client.closed()).not.toBe('open')
  })

  it('leaves nothing behind when both sides end', async () => {
    const { client, server } = await openTunnel()
    await using _client = client

    server.end()
    client.halfClose()
    await eventually('the end', () => ends.length === 1)
    await eventually('no time limit', () => clock.pending === 0)

    expect(ends).toEqual(['complete'])
  })

  it('begins without what only gateways and sidecars say to each other', async () => {
    head = `${switching}X-Pilotlight-Refusal: full\r\nx-pilotlight-slot: 1\r\nX-Own: 1\r\n\r\n`
    const { client } = await openTunnel()
    await using _client = client

    const answer = await client.begun()

    expect(answer.fields.filter(([name]) => /pilotlight/i.test(name))).toEqual([])
    expect([header(answer, 'x-own'), header(answer, 'x-call-id')]).toEqual(['1', '7'])
  })
})
