import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Forwarder } from '#core'
import { OutgoingProxy } from '../../../core/http/outgoing-proxy.ts'
import { UndiciForwarder } from '../../../core/http/undici-forwarder.ts'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { H1Forwarder } from '../../../core/http1/h1-forwarder.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { someRequest } from '../../unit/http/some-request.ts'

guardAgainstLeaks()

/** Wants all calls to go through a proxy that is not there. */
class EverythingThroughNothing extends OutgoingProxy {
  override proxyFor(): URL {
    return new URL('http://127.0.0.1:1')
  }
}

const proxy = new EverythingThroughNothing({ httpProxy: undefined, httpsProxy: undefined, noProxy: '' })
const clock = new SystemClock()
const options = { maxConnectionsPerUpstream: 2, maxHeaderBytes: 16_384, connectTimeoutMs: 1_000 }
const engines: Readonly<Record<string, () => Forwarder>> = {
  undici: () => new UndiciForwarder({ clock, options, proxy }),
  h1: () => new H1Forwarder({ clock, options, proxy, fallback: new UndiciForwarder({ clock, options, proxy }) }),
}

describe('calls of sidecars, where there is a forward proxy', () => {
  let server: Server
  let origin: string
  beforeEach(async () => {
    server = createServer((_request, response) => response.end('straight'))
    await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}` // a TCP server's address is always of this type
  })
  afterEach(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })

  it.each(Object.keys(engines))('go straight with the engine %s, and no other calls', async (name) => {
    const create = engines[name]
    if (create === undefined) throw new Error('no such engine')
    await using forwarder = create()
    const call = { request: someRequest().request, origin, path: '/', headers: [], timeoutMs: 1_000 }

    await expect(forwarder.forward(call)).rejects.toMatchObject({ code: 'upstream_failed' })
    forwarder.forget?.(origin)
    const reply = await forwarder.forward({ ...call, toPeer: true })

    expect(reply.status).toBe(200)
    reply.discard()
  })

  it('go straight when the gateway asks for slots', async () => {
    await using client = new UndiciHttpClient({ clock, connectTimeoutMs: 1_000, proxy })
    const request = { method: 'GET', url: new URL(origin), timeoutMs: 1_000 }

    await expect(client.request(request)).rejects.toThrow()
    const answer = await client.request({ ...request, toPeer: true })

    expect(await answer.text()).toBe('straight')
  })
})
