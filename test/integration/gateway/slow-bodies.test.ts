import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { endToEndHeaders, type Forwarder, H1Forwarder, HttpListener } from '#core/lean'
import { HttpProxyForwarder } from '../../../core/http/http-proxy-forwarder.ts'
import { UndiciForwarder } from '../../../core/http/undici-forwarder.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'

guardAgainstLeaks()

const clock = new FakeClock()
const options = { maxConnectionsPerUpstream: 10, maxHeaderBytes: 65_536, connectTimeoutMs: 1_000 }
const httpProxy = (): Forwarder => new HttpProxyForwarder({ clock, options })

/** An upstream that counts its calls, behind an engine and a listener with a time limit of ten seconds for a call. */
async function start(forwarder: Forwarder) {
  let calls = 0
  const upstream = createServer((request, response) => {
    calls += 1
    request.pipe(response)
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo // a TCP server's address
  const listener = new HttpListener({
    handle: (request) => {
      const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
      return forwarder.forward({ request, origin: `http://127.0.0.1:${port}`, path: '/', headers, timeoutMs: 10_000 })
    },
    readTimeoutMs: 30_000,
    maxHeaderBytes: 65_536,
    maxHeaderLines: 100,
    replayBodyBytes: 1_024,
    onFailure: () => {},
    onError: () => {},
    clock,
  })
  const url = `http://127.0.0.1:${await listener.listen('127.0.0.1', 0)}`
  return {
    calls: () => calls,
    open: () => RawConnection.open(url),
    async [Symbol.asyncDispose]() {
      await listener[Symbol.asyncDispose]()
      await forwarder[Symbol.asyncDispose]()
      upstream.closeAllConnections()
      await new Promise((resolve) => upstream.close(resolve))
    },
  }
}

describe.each([
  ['h1', () => new H1Forwarder({ clock, options, fallback: httpProxy() })],
  ['http-proxy', httpProxy],
  ['undici', () => new UndiciForwarder({ clock, options })],
] as const)('the time limit of a call over %s', (_name, engine) => {
  it('begins before its small body has come, which then comes in vain', async () => {
    await using path = await start(engine())
    await using client = await path.open()

    await client.send(`${requestBytes('POST', '/', ['Content-Length: 10'])}12345`)
    await eventually('the time limit', () => clock.pending > 0)
    await clock.advance(10_000)
    const answer = await client.response('POST')
    await client.send('67890')
    await using other = await path.open()
    await other.send(`${requestBytes('POST', '/', ['Content-Length: 5'])}hello`)

    expect(answer.status).toBe(504)
    expect((await other.response('POST')).body.toString()).toBe('hello')
    expect(path.calls()).toBe(1)
  })

  it('is no limit for a body that comes in time', async () => {
    await using path = await start(engine())
    await using client = await path.open()

    await client.send(`${requestBytes('POST', '/', ['Content-Length: 10'])}12345`)
    await eventually('the time limit', () => clock.pending > 0)
    await clock.advance(9_999)
    await client.send('67890')

    expect((await client.response('POST')).body.toString()).toBe('1234567890')
  })

  it('ends with a client that leaves inside its body', async () => {
    await using path = await start(engine())
    await using client = await path.open()

    await client.send(`${requestBytes('POST', '/', ['Content-Length: 10'])}12345`)
    await eventually('the time limit', () => clock.pending > 0)
    const before = clock.pending
    client.abort()

    await eventually('the end of the time limit', () => clock.pending === before - 1)
    expect(path.calls()).toBe(0)
  })
})
