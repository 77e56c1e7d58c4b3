import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { eventually, pause } from '../support/eventually.ts'
import { FaultProxy } from '../support/fault-proxy.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { machineMs } from '../support/machine-clock.ts'

guardAgainstLeaks()

/** Answers every byte with the same byte, and notes what came. */
class EchoServer implements AsyncDisposable {
  readonly sockets = new Set<Socket>()
  readonly pieces: number[] = []
  ends = 0
  resets = 0
  port = 0
  readonly #server = createServer({ allowHalfOpen: true }, (socket) => {
    this.sockets.add(socket)
    socket.on('data', (piece: Buffer) => {
      this.pieces.push(piece.byteLength)
      socket.write(piece)
    })
    socket.on('end', () => {
      this.ends += 1
      socket.end()
    })
    socket.on('error', () => (this.resets += 1))
    socket.on('close', () => this.sockets.delete(socket))
  })

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer()
    echo.#server.listen(0, '127.0.0.1')
    await once(echo.#server, 'listening')
    echo.port = (echo.#server.address() as AddressInfo).port // a TCP server's address is always of this type
    return echo
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** A client that collects what it gets. */
class Client implements Disposable {
  readonly socket: Socket
  received = Buffer.alloc(0)
  /** `no`, `ended`, or the code of an error. */
  closed = 'no'
  ended = false

  constructor(port: number) {
    this.socket = connect({ host: '127.0.0.1', port, noDelay: true })
    this.socket.on('data', (piece: Buffer) => (this.received = Buffer.concat([this.received, piece])))
    this.socket.on('end', () => (this.ended = true))
    this.socket.on('error', (error: NodeJS.ErrnoException) => (this.closed = error.code ?? error.message))
    this.socket.on('close', () => (this.closed = this.closed === 'no' ? 'ended' : this.closed))
  }

  get text(): string {
    return this.received.toString()
  }

  async shows(text: string): Promise<void> {
    await eventually(`"${text}", there is "${this.text}"`, () => this.text === text)
  }

  async isClosed(): Promise<string> {
    return eventually('the connection to close', () => this.closed !== 'no' && this.closed)
  }

  [Symbol.dispose](): void {
    this.socket.destroy()
  }
}

describe('FaultProxy', () => {
  it('passes bytes and ends both ways, and counts them', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)

    client.socket.end('hello')

    await client.shows('hello')
    expect(await client.isClosed()).toBe('ended')
    expect(echo.ends).toBe(1)
    expect(proxy.counts).toEqual({ connections: 1, toServer: 5, toClient: 5, lost: 0 })
    await eventually('the pair to go', () => proxy.open === 0)
  })

  it('passes 20 MB with back-pressure, unchanged', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    const sent = Buffer.alloc(20_000_000, 'abcdefghijk')
    const pieces: Buffer[] = []
    client.socket.removeAllListeners('data').on('data', (piece: Buffer) => pieces.push(piece))

    client.socket.end(sent)
    await once(client.socket, 'close')

    expect(Buffer.concat(pieces).equals(sent)).toBe(true)
  })

  it('delays bytes each way without slowing a stream down', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    await proxy.set({ kind: 'latency', ms: 50 })

    const startedMs = machineMs()
    for (const letter of 'abcdefgh') {
      client.socket.write(letter)
      await pause(5)
    }
    await client.shows('abcdefgh')
    const tookMs = machineMs() - startedMs

    expect(tookMs).toBeGreaterThan(99)
    expect(tookMs).toBeLessThan(400) // one after the other, they would take 800
  })

  it('slices bytes into tiny pieces', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    await proxy.set({ kind: 'slice', bytes: 2 })

    client.socket.write('0123456789'.repeat(10))

    await client.shows('0123456789'.repeat(10))
    expect(echo.pieces.length).toBeGreaterThan(5)
    expect(Math.min(...echo.pieces)).toBe(2)
  })

  it('swallows everything as a black hole, and what lost something stays dead', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using before = new Client(proxy.port)
    using untouched = new Client(proxy.port)
    before.socket.write('1')
    untouched.socket.write('1')
    await Promise.all([before.shows('1'), untouched.shows('1')])

    await proxy.set('blackHole')
    before.socket.write('22')
    using during = new Client(proxy.port)
    during.socket.end('333')
    await eventually('the loss', () => proxy.counts.lost === 5)
    expect(echo.sockets.size).toBe(2)

    await proxy.set('pass')
    before.socket.write('4')
    untouched.socket.write('4')
    await untouched.shows('14')
    expect([before.text, before.closed, during.text, during.closed]).toEqual(['1', 'no', '', 'no'])
    using after = new Client(proxy.port)
    after.socket.write('5')
    await after.shows('5')
  })

  it.each(['toServer', 'toClient'] as const)('loses one way when half open: %s', async (lost) => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    client.socket.write('1')
    await client.shows('1')
    await proxy.set({ kind: 'halfOpen', lost })

    client.socket.write('22')
    for (const socket of echo.sockets) socket.write('!')

    if (lost === 'toServer') await client.shows('1!')
    await eventually('the loss', () => proxy.counts.lost === (lost === 'toServer' ? 2 : 3))
    expect(client.text).toBe(lost === 'toServer' ? '1!' : '1')
    expect(proxy.counts.toServer).toBe(lost === 'toServer' ? 1 : 3)
    expect(client.closed).toBe('no')
  })

  it('holds bytes back while stalled, and delivers them in order afterwards', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    await proxy.set('stall')

    client.socket.write('one,')
    await pause(30)
    client.socket.end('two')
    await pause(30)
    expect(echo.pieces).toEqual([])

    await proxy.set('pass')
    await client.shows('one,two')
    expect(await client.isClosed()).toBe('ended')
  })

  it('resets what is open and refuses what is new, until it passes again on the same port', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    const { port } = proxy
    using open = new Client(port)
    open.socket.write('1')
    await open.shows('1')

    await proxy.set('reset')

    expect(await open.isClosed()).toBe('ECONNRESET')
    using refused = new Client(port)
    expect(await refused.isClosed()).toBe('ECONNREFUSED')
    await eventually('the server to notice', () => echo.resets === 1 && echo.sockets.size === 0)
    await proxy.set('pass')
    using again = new Client(port)
    again.socket.write('2')
    await again.shows('2')
  })

  it('refuses new connections and leaves open ones alone', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using open = new Client(proxy.port)
    open.socket.write('1')
    await open.shows('1')

    await proxy.set('refuse')
    using refused = new Client(proxy.port)

    expect(await refused.isClosed()).toBe('ECONNREFUSED')
    open.socket.write('2')
    await open.shows('12')
  })

  it('cuts open connections and takes new ones', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using open = new Client(proxy.port)
    open.socket.write('1')
    await open.shows('1')

    proxy.cut()

    expect(await open.isClosed()).toBe('ECONNRESET')
    using next = new Client(proxy.port)
    next.socket.write('2')
    await next.shows('2')
  })

  it('keeps no connection that is cut while its end is being passed on', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using client = new Client(proxy.port)
    client.socket.write('1')
    await client.shows('1')
    await proxy.set('stall')
    client.socket.end()
    await pause(30)

    await proxy.set('pass')
    // The end goes on within this turn of the event loop.
    for (let turns = 0; turns < 20; turns += 1) await Promise.resolve()
    proxy.cut()

    await eventually('the pair to go', () => proxy.open === 0)
    expect(await client.isClosed()).toBe('ECONNRESET')
    await eventually('the server to notice', () => echo.sockets.size === 0)
  })

  it('passes a reset of either end on', async () => {
    await using echo = await EchoServer.start()
    await using proxy = await FaultProxy.start(echo.port)
    using first = new Client(proxy.port)
    using second = new Client(proxy.port)
    first.socket.write('1')
    await first.shows('1')
    second.socket.write('1')
    await second.shows('1')
    const [one] = echo.sockets

    one?.resetAndDestroy()
    expect(await first.isClosed()).toBe('ECONNRESET')
    second.socket.resetAndDestroy()
    await eventually('the server to notice', () => echo.resets === 1)
  })

  it('resets its clients when nothing listens behind it', async () => {
    const echo = await EchoServer.start()
    const { port } = echo
    await echo[Symbol.asyncDispose]()
    await using proxy = await FaultProxy.start(`redis://127.0.0.1:${port}/0`)
    using client = new Client(proxy.port)

    expect(await client.isClosed()).toBe('ECONNRESET')
    expect(proxy.through(`redis://:secret@localhost:${port}/3`)).toBe(`redis://:secret@127.0.0.1:${proxy.port}/3`)
  })
})
