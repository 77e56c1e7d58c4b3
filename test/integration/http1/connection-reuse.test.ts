import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { H1Gateway } from './h1-gateway.ts'
import { answer, type Answerer, answering, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

interface Given {
  readonly what: string
  readonly method?: string
  readonly fields?: readonly string[]
  readonly body?: string
  readonly by?: Answerer
}

const kept: readonly Given[] = [
  { what: 'an answer with a length' },
  {
    what: 'an answer in chunks',
    by: ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n'),
  },
  { what: 'an answer without a body', by: ({ socket }) => void socket.write('HTTP/1.1 204 No Content\r\n\r\n') },
  { what: 'a POST with a body', method: 'POST', fields: ['Content-Length: 2'], body: 'hi' },
  {
    what: 'HTTP/1.0 that keeps its connection',
    by: ({ socket }) => void socket.write('HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\na'),
  },
  { what: 'an upstream that closes after 2 s', by: answering('a', 'Keep-Alive: timeout=2') },
]

const given: readonly Given[] = [
  { what: 'says that it closes', by: answering('a', 'Connection: close') },
  { what: 'is HTTP/1.0', by: ({ socket }) => void socket.write('HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na') },
  { what: 'says that it closes within a second', by: answering('a', 'Keep-Alive: timeout=1') },
  { what: 'is followed by bytes too many', by: ({ socket }) => void socket.write(`${answer('a')}more`) },
  { what: 'is followed by another answer', by: ({ socket }) => void socket.write(answer('a') + answer('b')) },
  {
    what: 'is a 204 that announces a body',
    by: ({ socket }) => void socket.write('HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\n'),
  },
  {
    what: 'answers HEAD',
    method: 'HEAD',
    by: ({ socket }) => void socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n'),
  },
  { what: 'answers a GET with a body', fields: ['Content-Length: 2'], body: 'hi' },
  { what: 'answers a DELETE with a body', method: 'DELETE', fields: ['Content-Length: 2'], body: 'hi' },
]

describe('a connection', () => {
  it.each(kept)('is used again after $what', async ({ method, fields, body, by }) => {
    await using upstream = await RawUpstream.start(by)
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    for (let i = 0; i < 3; i += 1) await gateway.call(method, fields, body)

    expect(upstream.connections).toHaveLength(1)
    expect(upstream.requests).toBe(3)
  })

  it.each(given)('is closed after an answer that $what', async ({ method, fields, body, by }) => {
    await using upstream = await RawUpstream.start(by)
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], clock: new FakeClock() })

    const first = await gateway.call(method, fields, body)
    await eventually('the connection to close', () => upstream.open === 0)
    const second = await gateway.call(method, fields, body)

    expect([first.status, second.status]).toEqual([first.status, first.status])
    expect(first.status).toBeLessThan(300)
    expect(upstream.connections).toHaveLength(2)
  })

  it('is not used again when bytes came while it was idle', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await gateway.get()

    upstream.connections[0]?.socket.write(answer('poison'))
    await eventually('the connection to close', () => upstream.open === 0)

    expect(await gateway.get()).toBe('hello')
    expect(upstream.connections).toHaveLength(2)
  })

  it('is not used again once its upstream closed it', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await gateway.get()

    upstream.connections[0]?.socket.end()
    await eventually('the gateway to close it, too', () => upstream.open === 0)

    expect(await gateway.get()).toBe('hello')
    expect(gateway.errors).toEqual([])
  })

  it('that was used last is used first', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    const answers = [gateway.get(), gateway.get()]
    await eventually('both calls', () => upstream.requests === 2)
    for (const { socket } of upstream.connections) {
      const released = Promise.race(answers)
      socket.write(answer('a'))
      await released
    }
    await Promise.all(answers)
    upstream.answer = answering('b')

    for (let i = 0; i < 3; i += 1) await gateway.get()

    expect(upstream.connections.map(({ heads }) => heads.length)).toEqual([1, 4])
  })

  it.each([
    { lines: [], idleMs: 3_999, connections: 1 },
    { lines: [], idleMs: 4_000, connections: 2 },
    { lines: ['Keep-Alive: timeout=3'], idleMs: 1_999, connections: 1 },
    { lines: ['Keep-Alive: timeout=3'], idleMs: 2_000, connections: 2 },
    { lines: ['Keep-Alive: timeout=20'], idleMs: 18_999, connections: 1 },
    { lines: ['Keep-Alive: timeout=900'], idleMs: 59_999, connections: 1 },
    { lines: ['Keep-Alive: timeout=900'], idleMs: 60_000, connections: 2 },
  ])('idle for $idleMs ms after $lines: $connections in all', async ({ lines, idleMs, connections }) => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start(answering('a', ...lines))
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], clock })
    await gateway.get()
    await clock.advance(500) // not when idle connections are looked through
    await gateway.get()

    await clock.advance(idleMs)
    await gateway.get()

    expect(upstream.connections).toHaveLength(connections)
  })

  it('that is idle for too long is closed although nobody calls', async () => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], clock })
    await gateway.get()

    await clock.advance(5_000)

    await eventually('the connection to close', () => upstream.open === 0)
  })

  it('leaves no alarm behind once its pool is unused', async () => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], clock })
    await gateway.get()
    const afterCall = clock.pending

    await clock.advance(59_000)
    const whileKept = clock.pending
    await clock.advance(3_000)

    expect([afterCall, whileKept, clock.pending]).toEqual([1, 1, 0])
    expect(await gateway.get()).toBe('hello')
  })

  it('that dies on its second call breaks the call off, which may have been seen', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await gateway.get()
    upstream.answer = ({ socket }) => void socket.destroy()

    expect(await gateway.get()).toBe('502')
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed', details: { accepted: true } }])
  })

  it('that dies on its second call makes the repeat take a new one, though others are idle', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], attempts: 2 })
    const first = [gateway.get(), gateway.get(), gateway.get()]
    await eventually('three calls', () => upstream.requests === 3)
    for (const { socket } of upstream.connections) socket.write(answer('a'))
    await Promise.all(first)
    upstream.answer = ({ socket }, nth) => void (nth > 1 ? socket.destroy() : socket.write(answer('new')))

    expect(await gateway.get()).toBe('new')
    expect(gateway.errors).toHaveLength(1)
    expect(upstream.connections.map(({ heads }) => heads.length).toSorted((a, b) => a - b)).toEqual([1, 1, 1, 2])
  })

  it("that is opened for a repeat whose client leaves meanwhile is nobody's", async () => {
    await using upstream = await RawUpstream.start(answering('a'), { backlog: 1 })
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], attempts: 2, connectTimeoutMs: 200 })
    await gateway.get()
    await using _hanging = await upstream.hang()
    upstream.answer = ({ socket }) => void socket.destroy()
    await using client = await gateway.open()
    await client.send(requestBytes('GET', '/'))
    await eventually('the repeat', () => gateway.errors.length === 1)

    client.abort()
    await eventually('the gateway to notice', () => gateway.errors.length === 2)

    expect(gateway.errors.map(({ code }) => code)).toEqual(['upstream_failed', 'client_closed'])
    expect(await gateway.get()).toBe('502') // after the time for connecting
  })

  it('that dies on its second call lets the repeat take the room of an idle one where there is no other', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({
      origins: [upstream.origin],
      attempts: 2,
      maxConnectionsPerUpstream: 2,
    })
    const first = [gateway.get(), gateway.get()]
    await eventually('two calls', () => upstream.requests === 2)
    for (const { socket } of upstream.connections) socket.write(answer('a'))
    await Promise.all(first)
    const cuts: object[] = []
    upstream.answer = ({ socket }, nth) => {
      if (nth > 1) cuts.push(socket.resetAndDestroy())
      else socket.write(answer('new'))
    }

    const second = await Promise.all([gateway.get(), gateway.get()])

    expect(second).toEqual(['new', 'new'])
    expect(cuts.length).toBeGreaterThan(0)
  })
})
