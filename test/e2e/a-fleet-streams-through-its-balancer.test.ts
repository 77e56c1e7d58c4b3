import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { call, startCall } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { toolPath } from '../support/debian-tools.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { RawConnection, requestBytes } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

toolPath('nginx')

describe.each(['haproxy', 'nginx'] as const)('%s before a fleet', (balancer) => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  beforeAll(async () => {
    provider = await ScriptedProvider.start({ name: 'warm' }, { name: 'never', desired: 0, readyAfterMs: -1 })
    fleet = await startCluster(provider, { balancer, gateways: 2, redis: 'none' })
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  /** Has the function's next call answered by the test. */
  function nextCall(): Promise<{ request: IncomingMessage; response: ServerResponse }> {
    const { promise, resolve } = Promise.withResolvers<{ request: IncomingMessage; response: ServerResponse }>()
    provider.function('warm').handler = (request, response) => resolve({ request, response })
    return promise
  }

  it('passes each event on as it is sent', async () => {
    const reached = nextCall()
    await using client = await RawConnection.open(fleet.url)
    await client.send(requestBytes('GET', '/function/warm'))
    const { response } = await reached

    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    for (const event of ['one', 'two', 'three']) {
      response.write(`data: ${event}\n\n`)
      await client.shows(`data: ${event}`)
    }
    response.end()

    expect((await client.response()).complete).toBe(true)
  })

  it('passes each piece of an upload on as it is sent', async () => {
    const reached = nextCall()
    await using client = await RawConnection.open(fleet.url)
    await client.send(requestBytes('POST', '/function/warm', ['Transfer-Encoding: chunked']))
    await client.send('3\r\none\r\n')
    const { request, response } = await reached
    let received = ''
    request.on('data', (piece: Buffer) => (received += piece.toString()))

    await eventually('the first piece', () => received === 'one')
    await client.send('3\r\ntwo\r\n')
    await eventually('the second piece', () => received === 'onetwo')
    await client.send('0\r\n\r\n')
    await once(request, 'end')
    response.end('whole')

    expect((await client.response('POST')).body.toString()).toBe('whole')
  })

  it('passes WebSockets', async () => {
    const sockets = new WebSocketServer({ noServer: true })
    provider.function('warm').upgrade = (request, socket, head) =>
      sockets.handleUpgrade(request, socket, head, (peer) =>
        peer.on('message', (data: Buffer) => peer.send(`<${data.toString()}>`)),
      )
    const client = new WebSocket(`${fleet.url.replace('http', 'ws')}/function/warm`)
    await once(client, 'open')

    client.send('hello')
    const [answer] = (await once(client, 'message')) as [Buffer]
    client.close()
    await once(client, 'close')

    expect(answer.toString()).toBe('<hello>')
  })

  it('passes heads as long as gateways take them in practice', async () => {
    provider.function('warm').handler = (request, response) => response.end(String(request.rawHeaders.length / 2))
    const headers = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`x-header-${i}`, 'x'.repeat(100)]))

    const answer = await call(`${fleet.url}/function/warm`, { headers })

    expect(answer.status).toBe(200)
    expect(Number(answer.body)).toBeGreaterThan(300)
  })

  it('tells a gateway when a caller that it holds has left', async () => {
    const held = async (): Promise<number> => {
      const pages = await Promise.all(fleet.gateways.map((one) => one.metrics()))
      return pages.reduce((sum, page) => sum + (metricValue(page, 'pilotlight_held_requests') ?? 0), 0)
    }
    const caller = startCall(`${fleet.url}/function/never`)
    await eventually('the call to be held', async () => (await held()) === 1)

    caller.leave()

    await eventually('nobody to be held', async () => (await held()) === 0)
  })

  it('sends a call that a gateway did not take to another one', async () => {
    provider.function('warm').handler = (request, response) => {
      request.resume()
      response.end('served')
    }
    await fleet.gateway(1).kill()

    const outcomes = await Promise.all(
      Array.from({ length: 20 }, () => call(`${fleet.url}/function/warm`, { method: 'POST', body: 'x' })),
    )

    expect(outcomes.map(({ body }) => body)).toEqual(Array.from({ length: 20 }, () => 'served'))
    await fleet.gateway(1).start()
  })
})
