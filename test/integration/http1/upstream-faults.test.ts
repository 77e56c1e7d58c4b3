import { networkInterfaces } from 'node:os'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { H1Gateway } from './h1-gateway.ts'
import { answer, type Answerer, RawUpstream, type UpstreamConnection } from './raw-upstream.ts'

guardAgainstLeaks()

const chunkedHead = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'

/** Writes these bytes and then the same piece again and again, as fast as it is taken, until the connection is gone. */
function flooding(first: string, again: string): Answerer {
  const piece = Buffer.from(again.repeat(Math.ceil(16_384 / again.length)), 'latin1')
  return ({ socket }) => {
    socket.write(first)
    const more = (): void => {
      while (!socket.destroyed && socket.write(piece));
    }
    socket.on('drain', more)
    more()
  }
}

function cutting(bytes: string, how: 'end' | 'reset' | 'close' = 'end'): Answerer {
  return ({ socket }) => {
    socket.write(bytes, () => {
      if (how === 'end') socket.end()
      else if (how === 'close') socket.destroy()
      else socket.resetAndDestroy()
    })
  }
}

const withoutHead: readonly { readonly fault: string; readonly by: Answerer }[] = [
  { fault: 'closes instead of answering', by: cutting('') },
  { fault: 'resets instead of answering', by: cutting('', 'reset') },
  { fault: 'dies within the status line', by: cutting('HTTP/1.1 2') },
  { fault: 'dies within the head', by: cutting('HTTP/1.1 200 OK\r\nContent-Le') },
  { fault: 'dies behind an informational answer', by: cutting('HTTP/1.1 103 Early Hints\r\n\r\n', 'reset') },
  { fault: 'sends a head without end', by: flooding('HTTP/1.1 200 OK\r\n', 'X-Flood: v\r\n') },
  { fault: 'sends one header without end', by: flooding('HTTP/1.1 200 OK\r\nX-Flood: ', 'v') },
  { fault: 'sends a status line without end', by: flooding('HTTP/1.1 200 ', 'v') },
  { fault: 'sends informational answers without end', by: flooding('', 'HTTP/1.1 102 Processing\r\n\r\n') },
  { fault: 'sends something else than HTTP', by: ({ socket }) => void socket.write('SSH-2.0-OpenSSH_9.2\r\n') },
  {
    fault: 'changes the protocol',
    by: ({ socket }) => void socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n'),
  },
]

const withinBody: readonly { readonly fault: string; readonly by: Answerer }[] = [
  { fault: 'ends within a length', by: cutting('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart') },
  { fault: 'resets within a length', by: cutting('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\npart', 'reset') },
  { fault: 'ends within a chunk', by: cutting(`${chunkedHead}9\r\npart`) },
  { fault: 'ends behind a chunk', by: cutting(`${chunkedHead}4\r\npart\r\n`) },
  { fault: 'ends before the trailers', by: cutting(`${chunkedHead}4\r\npart\r\n0\r\n`) },
  { fault: 'breaks the framing of a chunk', by: ({ socket }) => void socket.write(`${chunkedHead}4\r\npart!!`) },
  { fault: 'sends a chunk extension without end', by: flooding(`${chunkedHead}4\r\npart\r\n1`, ';a=b') },
  { fault: 'sends trailers without end', by: flooding(`${chunkedHead}4\r\npart\r\n0\r\n`, 'X-Flood: v\r\n') },
]

describe('an upstream that', () => {
  it('refuses connections was never reached', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await upstream.refuse()

    expect(await gateway.get()).toBe('502')
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed', details: { accepted: false } }])
  })

  it('has no address was never reached', async () => {
    await using gateway = await H1Gateway.start({ origins: ['http://no-such-host.invalid:80'] })

    expect(await gateway.get()).toBe('502')
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed', details: { accepted: false } }])
  })

  it('lets connections hang was never reached, after the time for connecting', async () => {
    await using upstream = await RawUpstream.start(() => {}, { backlog: 1 })
    const { origin } = upstream
    await using _hanging = await upstream.hang()
    await using gateway = await H1Gateway.start({ origins: [origin], connectTimeoutMs: 150 })

    const calls = await Promise.all([gateway.get(), gateway.get()])

    expect(calls).toEqual(['502', '502'])
    expect(gateway.errors.map(({ details }) => details)).toEqual([{ accepted: false }, { accepted: false }])
  })

  it('accepts and closes at once may have been reached', async () => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    upstream.onConnection = ({ socket }) => void socket.destroy()

    expect(await gateway.get()).toBe('502')
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed', details: { accepted: true } }])
  })

  it('never answers is given up in time, and its connection with it', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin], timeoutMs: 100 })

    expect(await gateway.get()).toBe('504')
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it.each(withoutHead)('$fault may have been reached; its connection is closed', async ({ by }) => {
    await using upstream = await RawUpstream.start(by)
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    const { status, body } = await gateway.call()

    expect([status, body.toString()]).toEqual([502, ''])
    expect(gateway.errors).toMatchObject([{ code: 'upstream_failed', details: { accepted: true } }])
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it.each(withinBody)('$fault never looks whole; its connection is closed', async ({ by }) => {
    await using upstream = await RawUpstream.start(by)
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await using client = await gateway.open()
    await client.send(requestBytes('GET', '/'))

    await client.closed()

    const begun = await client.begun()
    expect([begun.status, begun.complete]).toEqual([200, false])
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it('floods behind its answer costs its connection, not the answer', async () => {
    await using upstream = await RawUpstream.start(flooding(answer('whole'), 'more'))
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    expect(await gateway.get()).toBe('whole')
    await eventually('the connection to close', () => upstream.open === 0)
  })

  it('answers before the body is sent is not sent the rest, and the client can go on', async () => {
    await using upstream = await RawUpstream.start(({ socket }) => {
      socket.pause()
      socket.write(answer('no'))
    })
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await using client = await gateway.open()
    const bodyBytes = 50_000_000
    await client.send(requestBytes('POST', '/', [`Content-Length: ${bodyBytes}`]))
    const sending = client.send(Buffer.alloc(bodyBytes))

    const first = await client.response('POST')
    await sending
    await client.send(requestBytes('GET', '/'))

    expect(first.body.toString()).toBe('no')
    expect((await client.response()).body.toString()).toBe('no')
    expect(upstream.connections).toHaveLength(2)
    expect(upstream.connections[0]?.received.length).toBeLessThan(bodyBytes / 2)
  })

  it('reads only a part of the body and closes is not taken for one that answered', async () => {
    await using upstream = await RawUpstream.start(({ socket }) => void socket.destroy())
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await using client = await gateway.open()
    await client.send(requestBytes('POST', '/', ['Transfer-Encoding: chunked']))
    const sending = client.send(`${(3_000_000).toString(16)}\r\n${'x'.repeat(3_000_000)}\r\n0\r\n\r\n`)

    expect((await client.response('POST')).status).toBe(502)
    await sending
    await client.send(requestBytes('GET', '/'))
    expect((await client.response()).status).toBe(502)
  })

  it('pauses informational answers for a while lets the answer through', async () => {
    await using upstream = await RawUpstream.start(({ socket }) => {
      socket.write('HTTP/1.1 102 Processing\r\n\r\n'.repeat(50), () => socket.write(answer('late')))
    })
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await using client = await gateway.open()
    await client.send(requestBytes('GET', '/'))

    const late = await client.response()

    expect(late.informational).toHaveLength(50)
    expect(late.body.toString()).toBe('late')
  })
})

describe('an origin', () => {
  it.skipIf(!hasIpv6())('with an IPv6 address is called by it', async () => {
    await using upstream = await RawUpstream.start(undefined, { host: '::1' })
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    expect(await gateway.get()).toBe('hello')
    expect(upstream.arrivals[0]).toContain(`\r\nHost: ${new URL(upstream.origin).host}\r\n`)
  })
})

function hasIpv6(): boolean {
  return Object.values(networkInterfaces()).some((all) => all?.some(({ address }) => address === '::1') === true)
}

describe('what cannot be sent', () => {
  it.each([
    { what: 'a header with a line break', change: { headers: ['X', 'a\r\nX-Injected: b'] } },
    { what: 'a path with a line break', change: { path: '/ HTTP/1.1\r\nX-Injected: b\r\n\r\nGET /' } },
  ])('as $what reaches no upstream', async ({ change }) => {
    await using upstream = await RawUpstream.start()
    await using gateway = await H1Gateway.start({
      origins: [upstream.origin],
      change: (call) => ({ ...call, ...change }),
    })

    expect(await gateway.get()).toBe('502')
    expect(upstream.connections).toEqual([])
  })
})

describe('a request body', () => {
  it.each([
    { fields: ['Content-Length: 200000'], body: 'x'.repeat(200_000) },
    { fields: ['Content-Length: 2'], body: 'hi' },
  ])('of known length is sent as it is: $fields', async ({ fields, body }) => {
    await using upstream = await RawUpstream.start(whenReceived(body))
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    for (let i = 0; i < 2; i += 1) expect((await gateway.call('POST', fields, body)).body.toString()).toBe('got it')

    expect(upstream.connections).toHaveLength(1)
  })

  it('in chunks is sent in chunks, after which the connection is used again', async () => {
    await using upstream = await RawUpstream.start(whenReceived('5\r\nhello\r\n0\r\n\r\n'))
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })

    for (let i = 0; i < 2; i += 1) {
      const { body } = await gateway.call('POST', ['Transfer-Encoding: chunked'], '5;a=b\r\nhello\r\n0\r\n\r\n')
      expect(body.toString()).toBe('got it')
    }

    expect(upstream.connections).toHaveLength(1)
  })

  it('that the client leaves unfinished closes the connection before it looks whole', async () => {
    await using upstream = await RawUpstream.start(() => {})
    await using gateway = await H1Gateway.start({ origins: [upstream.origin] })
    await using client = await gateway.open()
    await client.send(`${requestBytes('POST', '/', ['Transfer-Encoding: chunked'])}4\r\npart\r\n`)
    await eventually('the piece to arrive', () => upstream.connections[0]?.received.endsWith('part\r\n'))

    client.abort()

    await eventually('the connection to close', () => upstream.open === 0)
    expect(upstream.connections[0]?.received).not.toContain('\r\n0\r\n')
    expect(gateway.errors).toMatchObject([{ code: 'client_closed' }])
  })
})

/** Answers once the body came. */
function whenReceived(body: string): Answerer {
  return (connection: UpstreamConnection) => {
    const { socket } = connection
    const check = (): void => {
      if (!connection.received.endsWith(`\r\n\r\n${body}`)) return
      socket.off('data', check)
      connection.received = ''
      socket.write(answer('got it'))
    }
    socket.on('data', check)
    check()
  }
}
