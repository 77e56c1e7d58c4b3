import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { H1Gateway } from './h1-gateway.ts'
import { answer, answering, RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

/** Answers the oldest call that waits. */
function answerOne(upstream: RawUpstream, body: string): void {
  const waiting = upstream.connections.find(
    ({ socket, heads, answered }) => !socket.destroyed && heads.length > answered,
  )
  if (waiting === undefined) throw new Error('no call waits')
  waiting.answered += 1
  waiting.socket.write(answer(body))
}

describe('connections to one origin', () => {
  it('are never more than allowed; further calls wait, and go in their order', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], maxConnectionsPerUpstream: 2 })
    const calls: Promise<unknown>[] = []
    for (let nth = 0; nth < 6; nth += 1) {
      calls.push(gateway.call('GET', [`X-Nth: ${nth}`]))
      await eventually(
        'the call to come',
        () => gateway.calls === nth + 1 && upstream.requests === Math.min(2, nth + 1),
      )
    }

    for (let answered = 0; answered < 6; answered += 1) {
      await eventually('a request', () => upstream.requests > answered)
      answerOne(upstream, 'a')
    }
    await Promise.all(calls)

    expect(upstream.connections).toHaveLength(2)
    expect(upstream.arrivals.map((head) => Number(/X-Nth: (\d)/.exec(head)?.[1]))).toEqual([0, 1, 2, 3, 4, 5])
  })

  it('serve a call that waits with one that is released while a new one hangs', async () => {
    await using upstream = await RawUpstream.start(() => {}, { backlog: 1 })
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    const first = gateway.get()
    await eventually('the first call', () => upstream.requests === 1)
    await using _hanging = await upstream.hang()
    const second = gateway.get()
    await eventually('the second call', () => gateway.calls === 2)
    upstream.answer = answering('b')

    answerOne(upstream, 'a')

    expect([await first, await second]).toEqual(['a', 'b'])
  })

  it('give a call that waits nothing of what came behind an answer', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], maxConnectionsPerUpstream: 1 })
    const first = gateway.get()
    await eventually('the first call', () => upstream.requests === 1)
    const second = gateway.get()
    await eventually('the second call', () => gateway.calls === 2)
    upstream.answer = answering('b')

    upstream.connections[0]?.socket.write(answer('a') + answer('poison'))

    expect([await first, await second]).toEqual(['a', 'b'])
  })

  it('are not spent on a client that left while it waited', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], maxConnectionsPerUpstream: 1 })
    const first = gateway.get()
    await eventually('the first call', () => upstream.requests === 1)
    await using leaving = await gateway.open()
    await leaving.send(requestBytes('GET', '/leaving'))
    await eventually('the second call', () => gateway.calls === 2)
    const third = gateway.get()
    await eventually('the third call', () => gateway.calls === 3)

    leaving.abort()
    await eventually('the gateway to notice', () => gateway.errors.length === 1)
    upstream.answer = answering('b')
    answerOne(upstream, 'a')

    expect([await first, await third]).toEqual(['a', 'b'])
    expect(upstream.connections[0]?.received).not.toContain('/leaving')
    expect(gateway.errors).toMatchObject([{ code: 'client_closed' }])
  })

  it('are not spent on a client that left before its call began', async () => {
    await using upstream = await RawUpstream.start()
    const held = Promise.withResolvers<void>()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], held: held.promise })
    await using leaving = await gateway.open()
    await leaving.send(requestBytes('GET', '/'))
    await eventually('the call', () => gateway.calls === 1)

    leaving.abort()
    await eventually('the gateway to notice', () => gateway.last?.gone === true)
    held.resolve()
    await eventually('the end of the call', () => gateway.errors.length === 1)

    expect(await gateway.get()).toBe('hello')
    expect(upstream.requests).toBe(1)
  })

  it('give a call that waits for too long up', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({
      origins: [upstream.origin],
      maxConnectionsPerUpstream: 1,
      timeoutMs: 200,
    })

    expect(await Promise.all([gateway.get(), gateway.get(), gateway.get()])).toEqual(['504', '504', '504'])
  })

  it('make room when one of them is closed', async () => {
    await using upstream = await RawUpstream.start(({ socket }) => void socket.end(answer('a', 'Connection: close')))
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], maxConnectionsPerUpstream: 1 })

    expect(await Promise.all([gateway.get(), gateway.get(), gateway.get()])).toEqual(['a', 'a', 'a'])
    expect(upstream.connections).toHaveLength(3)
  })

  it('that were refused do not use room up', async () => {
    await using upstream = await RawUpstream.start()
    const { origin } = upstream
    await using gateway = await H1Gateway.start({ origins: [origin], maxConnectionsPerUpstream: 2, maxConnections: 2 })
    await upstream.refuse()
    for (let i = 0; i < 5; i += 1) expect(await gateway.get()).toBe('502')

    await using _back = await RawUpstream.start(answering('back'), { port: Number(new URL(origin).port) })

    expect(await gateway.get()).toBe('back')
  })
})

describe('connections to all origins', () => {
  it('are never more than allowed: the one idle for longest makes room', async () => {
    const clock = new FakeClock()
    await using one = await RawUpstream.start()
    await using two = await RawUpstream.start()
    await using three = await RawUpstream.start()
    await using gateway = await H1Gateway.start({
      origins: [one.origin, two.origin, three.origin],
      maxConnections: 2,
      clock,
    })
    await gateway.get(0)
    await clock.advance(10)
    await gateway.get(1)
    await clock.advance(10)

    await gateway.get(2)
    await eventually('the first connection to close', () => one.open === 0)

    expect([one.open, two.open, three.open]).toEqual([0, 1, 1])
  })

  it('make a call wait while none is idle', async () => {
    await using one = await RawUpstream.start(() => {})
    await using two = await RawUpstream.start()
    await using gateway = await H1Gateway.start({
      origins: [one.origin, two.origin],
      maxConnections: 1,
      timeoutMs: 1_000, // less than a connection stays idle
    })
    const first = gateway.get(0)
    await eventually('the first call', () => one.requests === 1)
    const second = gateway.get(1)
    await eventually('the second call', () => gateway.calls === 2)
    const before = two.connections.length

    answerOne(one, 'a')

    expect([await first, await second, before]).toEqual(['a', 'hello', 0])
    await eventually('the room to be given over', () => one.open === 0 && two.open === 1)
  })

  it('answer many more calls than there may be connections', async () => {
    await using one = await RawUpstream.start(answering('1'))
    await using two = await RawUpstream.start(answering('2'))
    await using three = await RawUpstream.start(answering('3'))
    await using gateway = await H1Gateway.start({ origins: [one.origin, two.origin, three.origin], maxConnections: 2 })

    const answers = await Promise.all(Array.from({ length: 90 }, (_, i) => gateway.get(i % 3)))

    expect(answers).toEqual(Array.from({ length: 90 }, (_, i) => String((i % 3) + 1)))
    expect(one.open + two.open + three.open).toBeLessThanOrEqual(2)
  })
})

describe('an origin that is forgotten', () => {
  it('loses idle connections now, and the others after their calls', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    const calls = [gateway.get(), gateway.get()]
    await eventually('both calls', () => upstream.requests === 2)
    answerOne(upstream, 'a')
    await Promise.race(calls)

    gateway.forwarder.forget(upstream.origin)
    await eventually('the idle connection to close', () => upstream.open === 1)
    answerOne(upstream, 'b')

    expect((await Promise.all(calls)).toSorted()).toEqual(['a', 'b'])
    await eventually('the other connection to close', () => upstream.open === 0)
  })

  it('leaves no alarm behind', async () => {
    const clock = new FakeClock()
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], clock })
    await gateway.get()

    gateway.forwarder.forget(upstream.origin)
    await clock.advance(2_000)

    expect(clock.pending).toBe(0)
  })

  it('is left at once when the engine is closed', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    const call = gateway.get()
    await eventually('the call', () => upstream.requests === 1)
    gateway.forwarder.forget(upstream.origin)

    await gateway.forwarder[Symbol.asyncDispose]()

    expect(await call).toBe('502')
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed' }])
  })

  it('can be called again', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await gateway.get()

    gateway.forwarder.forget(upstream.origin)

    expect(await gateway.get()).toBe('hello')
    expect(upstream.connections).toHaveLength(2)
  })

  it('that is not known is none', async () => {
    await using gateway = await H1Gateway.start({ origins: [] })

    expect(() => gateway.forwarder.forget('http://nowhere:1')).not.toThrow()
  })
})

describe('the engine', () => {
  it('breaks calls off and closes everything when it is closed', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({
      origins: [upstream.origin],
      maxConnectionsPerUpstream: 1,
      attempts: 2,
    })
    const calls = [gateway.get(), gateway.get()]
    await eventually('both calls', () => gateway.calls === 2 && upstream.requests === 1)

    await gateway.forwarder[Symbol.asyncDispose]()

    expect(await Promise.all(calls)).toEqual(['502', '502'])
    expect(new Set(gateway.errors.map(({ code }) => code))).toEqual(new Set(['upstream_failed']))
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it('leaves origins that are not plain HTTP to another', async () => {
    await using gateway = await H1Gateway.start({ origins: ['https://f:443'] })

    await gateway.get()

    expect(gateway.fellBack.map(({ origin }) => origin)).toEqual(['https://f:443'])
  })
})
