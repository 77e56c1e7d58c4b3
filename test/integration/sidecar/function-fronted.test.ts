import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { requestBytes } from '../../support/raw-http.ts'
import { FunctionHarness, type FunctionOptions } from './function-harness.ts'

guardAgainstLeaks()

const servers: Server[] = []
afterEach(async () => {
  await Promise.all(servers.splice(0).map(close))
})

/** A function that somebody else runs: answers as the test says. */
async function someServer(listener: RequestListener, port = 0): Promise<Server> {
  const server = createServer(listener)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return server
}

function close(server: Server): Promise<void> {
  server.closeAllConnections()
  return new Promise((resolve) => server.close(() => resolve()))
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port // of a TCP server
}

function front(port: number, options: FunctionOptions = {}): Promise<FunctionHarness> {
  return FunctionHarness.start({ mode: 'http', upstream: new URL(`http://127.0.0.1:${port}`), ...options })
}

/** A port on which nobody listens. */
async function silentPort(): Promise<number> {
  const server = await someServer(() => {})
  const port = portOf(server)
  await close(server)
  return port
}

describe('function that somebody else runs', () => {
  it('is ready, and called, when it accepts connections', async () => {
    const port = await silentPort()
    await using fronted = await front(port)

    const before = await fronted.call('/')
    await someServer((request, response) => response.end(request.url), port)
    await fronted.ready()

    expect(before.status).toBe(502)
    expect(fronted.runner.origin).toBe(`http://127.0.0.1:${port}`)
    expect(await fronted.get('/a%2Fb?x=%20')).toBe('/a%2Fb?x=%20')
    expect(fronted.changes).toEqual([{ isReady: true, reason: '' }])
  })

  it('is noticed by the first look after it accepts, although nobody called', async () => {
    const port = await silentPort()
    await using fronted = await front(port)
    const before = fronted.changes.length

    await someServer(() => {}, port)
    await eventually('the change', () => fronted.changes.length > before)

    expect(fronted.changes.at(-1)).toEqual({ isReady: true, reason: '' })
  })

  it('is ready when its path answers well', async () => {
    let status = 503
    const asked: string[] = []
    const server = await someServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.host} ${request.headers['user-agent']}`)
      response.writeHead(status).end()
    })
    await using fronted = await front(portOf(server), { readyPath: '/_/ready' })
    await eventually('some questions', () => asked.length > 3)
    const wasReady = fronted.runner.isReady

    status = 204
    await fronted.ready()

    expect(wasReady).toBe(false)
    expect(asked[0]).toBe(`GET /_/ready 127.0.0.1:${portOf(server)} pilotlight-sidecar`)
  })

  it('is asked for both of its paths', async () => {
    const statuses: Record<string, number> = { '/ready': 200, '/health': 200 }
    const server = await someServer((request, response) => response.writeHead(statuses[request.url ?? ''] ?? 404).end())
    await using fronted = await front(portOf(server), { readyPath: '/ready', healthPath: '/health' })
    await fronted.ready()

    statuses['/health'] = 500
    const reason = await fronted.reason(/./)

    expect(reason).toBe('/health is answered 500')
  })

  it('is followed when its readiness flaps', async () => {
    let status = 200
    const server = await someServer((_request, response) => response.writeHead(status).end())
    await using fronted = await front(portOf(server), { readyPath: '/ready' })
    await fronted.ready()

    status = 500
    await eventually('the first', () => !fronted.runner.isReady)
    status = 200
    await fronted.ready()
    status = 404
    await eventually('the second', () => !fronted.runner.isReady)

    expect(fronted.changes).toEqual([
      { isReady: true, reason: '' },
      { isReady: false, reason: '/ready is answered 500' },
      { isReady: true, reason: '' },
      { isReady: false, reason: '/ready is answered 404' },
    ])
  })

  it('keeps the calls it has while it is not ready', async () => {
    let status = 200
    const finish: (() => void)[] = []
    const server = await someServer((request, response) => {
      if (request.url === '/slow') finish.push(() => response.end('finished'))
      else response.writeHead(status).end()
    })
    await using fronted = await front(portOf(server), { readyPath: '/ready' })
    await fronted.ready()
    await using call = await fronted.open()
    await call.send(requestBytes('GET', '/slow'))
    await eventually('the call', () => finish.length === 1)

    status = 500
    await eventually('not ready', () => !fronted.runner.isReady)
    finish[0]?.()

    expect((await call.response()).body.toString()).toBe('finished')
    expect((await fronted.call('/')).status).toBe(502)
  })

  it('is not ready while its path hangs, and after a while says so', async () => {
    const server = await someServer(() => {})
    await using fronted = await front(portOf(server), { readyPath: '/ready' })

    const reason = await fronted.reason(/./)

    expect(reason).toBe('/ready is not answered within 1000 ms')
    expect(fronted.changes).toEqual([{ isReady: false, reason }])
  })

  it('is known to be gone by the call that it refuses', async () => {
    const server = await someServer((_request, response) => response.end('here'))
    await using fronted = await front(portOf(server), { healthIntervalMs: 60_000 })
    await fronted.ready()
    const before = await fronted.get('/')

    await close(server)
    const answer = await fronted.call('/')
    await eventually('the loss to be known', () => !fronted.runner.isReady, 1_000)

    expect(before).toBe('here')
    expect(answer.status).toBe(502)
    expect(fronted.runner.reason).toBe(`nobody listens on port ${fronted.runner.origin?.split(':')[2]}`)
  })

  it('is left as it is when the sidecar stops', async () => {
    const server = await someServer((_request, response) => response.end('here'))
    await using fronted = await front(portOf(server))
    await fronted.ready()

    await fronted.runner.stop(1_000)

    expect(fronted.runner.isReady).toBe(false)
    expect((await fronted.call('/')).status).toBe(502)
    expect(server.listening).toBe(true)
  })

  it('is on this host, unless another is allowed', async () => {
    const upstream = new URL('http://192.0.2.1:80')
    await expect(FunctionHarness.start({ mode: 'http', upstream })).rejects.toThrow('not on this host')

    await using allowed = await FunctionHarness.start({ mode: 'http', upstream, allowsRemoteUpstream: true })

    expect(allowed.runner.isReady).toBe(false)
  })
})
