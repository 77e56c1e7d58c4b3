import { once } from 'node:events'
import { createServer, type AddressInfo } from 'node:net'
import { afterEach, describe, expect, it } from 'vitest'
import { MetricsServer, type MetricsServerDeps } from '../../../core/telemetry/metrics-server.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, rawRequest, requestBytes } from '../../support/raw-http.ts'

const smallPage = [Buffer.from('first 1\n'), Buffer.from('second 2\n')]
const hugePage = Array.from({ length: 64 }, () => Buffer.alloc(1024 * 1024, 'x'))
let closing: (() => Promise<void>)[] = []

guardAgainstLeaks()

afterEach(async () => {
  await Promise.all(closing.map((close) => close()))
  closing = []
})

async function serve(deps: Partial<MetricsServerDeps> = {}) {
  const server = new MetricsServer({
    metrics: { page: async () => smallPage },
    readiness: () => [],
    clock: new SystemClock(),
    log: new FakeLogger(),
    ...deps,
  })
  const port = await server.listen('127.0.0.1', 0)
  closing.push(() => server[Symbol.asyncDispose]())
  return { server, url: `http://127.0.0.1:${port}` }
}

async function get(url: string, target: string, method = 'GET') {
  return rawRequest(url, requestBytes(method, target, ['Connection: close']), method)
}

describe('MetricsServer', () => {
  it('serves the page as Prometheus text, whatever the query', async () => {
    const { url } = await serve()

    const answer = await get(url, '/metrics?name[]=x')

    expect(answer.status).toBe(200)
    expect(header(answer, 'content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    expect(answer.body.toString()).toBe('first 1\nsecond 2\n')
  })

  it('rests between the slices of a page while others want the event loop, and sends it whole', async () => {
    const clock = new (class extends SystemClock {
      rests = 0

      override sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
        this.rests += 1
        return super.sleep(delayMs, signal)
      }
    })()
    const slices = Array.from({ length: 40 }, (_, index) => Buffer.from(`series ${index}\n`))
    const { url } = await serve({ clock, metrics: { page: async () => slices } })
    let isBusy = true
    const work = (): void => {
      const beganMs = performance.now()
      while (performance.now() - beganMs < 0.5) continue
      if (isBusy) setImmediate(work)
    }
    work()

    const answer = await get(url, '/metrics')
    isBusy = false

    expect(answer.body.toString()).toBe(slices.join(''))
    expect(clock.rests).toBeGreaterThan(10)
  })

  it.each([
    ['GET', '/healthz', 200, 'OK'],
    ['HEAD', '/healthz', 200, ''],
    ['POST', '/healthz', 405, ''],
    ['HEAD', '/metrics', 200, ''],
    ['DELETE', '/metrics', 405, ''],
    ['GET', '/readyz', 200, 'OK'],
    ['HEAD', '/readyz', 200, ''],
    ['PUT', '/readyz', 405, ''],
    ['GET', '/', 404, '404 page not found\n'],
    ['GET', '/metrics/', 404, '404 page not found\n'],
  ])('answers %s %s with %i', async (method, target, status, body) => {
    const { url } = await serve()

    const answer = await get(url, target, method)

    expect(answer.status).toBe(status)
    expect(answer.body.toString()).toBe(body)
  })

  it('says why the gateway is not ready, while it is healthy', async () => {
    const { url } = await serve({ readiness: () => ['draining', 'no route to a provider'] })

    const answer = await get(url, '/readyz')

    expect(answer.status).toBe(503)
    expect(answer.body.toString()).toBe('draining\nno route to a provider\n')
    expect((await get(url, '/healthz')).status).toBe(200)
  })

  it('is not ready, and keeps serving, when readiness cannot be told', async () => {
    const log = new FakeLogger()
    const readiness = (): string[] => {
      throw new Error('a plugin broke')
    }
    const { url } = await serve({ readiness, log })

    expect((await get(url, '/readyz')).status).toBe(503)
    expect((await get(url, '/healthz')).status).toBe(200)
    expect(log.messages('error')).toHaveLength(1)
  })

  it('answers 500 without details when no page can be made, and serves the next', async () => {
    let isBroken = true
    const page = async () => {
      if (isBroken) throw new Error('secret detail')
      return smallPage
    }
    const { url } = await serve({ metrics: { page } })

    const broken = await get(url, '/metrics')
    isBroken = false

    expect(broken.status).toBe(500)
    expect(broken.body.toString()).not.toContain('secret')
    expect((await get(url, '/metrics')).status).toBe(200)
  })

  it('cuts the connection when a page fails on its way, and serves the next', async () => {
    let isBroken = true
    const slices = function* () {
      yield Buffer.from('first 1\n')
      if (isBroken) throw new Error('secret detail')
    }
    const log = new FakeLogger()
    const { url } = await serve({ metrics: { page: async () => slices() }, log })

    const broken = await get(url, '/metrics')
    isBroken = false
    const next = await get(url, '/metrics')

    expect([broken.complete, broken.body.toString()]).toEqual([false, 'first 1\n'])
    expect([next.complete, next.body.toString()]).toEqual([true, 'first 1\n'])
    expect(log.messages('error')).toHaveLength(1)
  })

  it('lets other work have its turn between two slices of a page', async () => {
    let turn = 0
    const count = (): void => {
      turn += 1
      handle = setImmediate(count)
    }
    let handle = setImmediate(count)
    const turns: number[] = []
    const slices = function* () {
      for (let i = 0; i < 20; i += 1) {
        turns.push(turn)
        yield Buffer.alloc(64 * 1024, 'x')
      }
    }
    const { url } = await serve({ metrics: { page: async () => slices() } })

    const answer = await get(url, '/metrics')
    clearImmediate(handle)

    expect(answer.body.byteLength).toBe(20 * 64 * 1024)
    expect(new Set(turns).size).toBe(20)
  })

  it('makes no more of a page than its client takes', async () => {
    let made = 0
    const slices = function* () {
      for (; made < 1_000; made += 1) yield Buffer.alloc(64 * 1024, 'x')
    }
    const clock = new FakeClock()
    const { url } = await serve({ metrics: { page: async () => slices() }, clock })
    await using connection = await RawConnection.open(url)
    connection.socket.pause()
    await connection.send(requestBytes('GET', '/metrics'))
    await eventually('the first slices', () => made > 0)

    await clock.advance(5_000)
    connection.socket.resume()
    await connection.closed()

    expect(made).toBeLessThan(1_000)
  })

  it('refuses more than 16 scrapes at a time, stays healthy, and recovers', async () => {
    const blocked = Promise.withResolvers<typeof smallPage>()
    let asked = 0
    const { url } = await serve({ metrics: { page: () => ((asked += 1), blocked.promise) } })
    const waiting = Array.from({ length: 16 }, () => get(url, '/metrics'))
    await eventually('16 scrapes', () => asked === 16)

    const refused = await get(url, '/metrics')
    const health = await get(url, '/healthz')
    blocked.resolve(smallPage)

    expect(refused.status).toBe(503)
    expect(health.status).toBe(200)
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 200))
    expect((await get(url, '/metrics')).status).toBe(200)
  })

  it('frees the place of a scraper that left before its page was made', async () => {
    const blocked = Promise.withResolvers<typeof smallPage>()
    let asked = 0
    const { url } = await serve({
      metrics: { page: () => ((asked += 1), asked > 16 ? Promise.resolve(smallPage) : blocked.promise) },
    })
    for (let i = 1; i <= 16; i += 1) {
      await using connection = await RawConnection.open(url)
      await connection.send(requestBytes('GET', '/metrics'))
      await eventually('the scrape', () => asked === i)
      connection.abort()
    }

    const answer = await eventually('a free place', async () => {
      const one = await get(url, '/metrics')
      return one.status === 200 && one
    })
    blocked.resolve(smallPage)

    expect(answer.body.toString()).toBe('first 1\nsecond 2\n')
  })

  it('cuts a scraper that does not read its page within 5 s', async () => {
    const clock = new FakeClock()
    const { url } = await serve({ metrics: { page: async () => hugePage }, clock })
    await using connection = await RawConnection.open(url)
    connection.socket.pause()
    await connection.send(requestBytes('GET', '/metrics'))
    await eventually('the time limit', () => clock.pending === 1)

    await clock.advance(5_000)
    connection.socket.resume()

    expect(await connection.closed()).not.toBe('open')
    expect(connection.received.byteLength).toBeLessThan(64 * 1024 * 1024)
    expect(clock.pending).toBe(0)
  })

  it('closes a connection whose request does not come in time', async () => {
    const { url } = await serve({ timeoutMs: 200 })
    await using connection = await RawConnection.open(url)

    await connection.send('GET /metrics HTTP/1.1\r\nHost: a\r\nX-Slow: ')

    expect(await connection.closed()).toBe('end')
  })

  it('answers 400 to what is no HTTP', async () => {
    const { url } = await serve()

    expect((await rawRequest(url, 'nonsense\r\n\r\n')).status).toBe(400)
  })

  it('finishes the page under way when it is closed, and takes no more connections', async () => {
    const blocked = Promise.withResolvers<typeof smallPage>()
    let asked = 0
    const { server, url } = await serve({ metrics: { page: () => ((asked += 1), blocked.promise) } })
    await using idle = await RawConnection.open(url)
    await using connection = await RawConnection.open(url)
    await connection.send(requestBytes('GET', '/metrics'))
    await eventually('the scrape', () => asked === 1)

    const closed = server[Symbol.asyncDispose]()
    await expect(RawConnection.open(url)).rejects.toThrow()
    blocked.resolve(smallPage)
    const answer = await connection.response()
    await closed

    expect(answer.body.toString()).toBe('first 1\nsecond 2\n')
    expect(await idle.closed()).toBe('end')
  })

  it('waits no longer than its time limit, once closed, for a request of which only the beginning came', async () => {
    const clock = new FakeClock()
    const { server, url } = await serve({ clock })
    await using connection = await RawConnection.open(url)
    await connection.send('GET /metrics HTTP/1.1\r\nHo')
    await get(url, '/healthz') // was accepted later: the beginning has been read

    const closed = server[Symbol.asyncDispose]()
    await clock.advance(4_999)
    const before = connection.closing
    await clock.advance(1)
    await closed

    expect(before).toBe('open')
    expect(await connection.closed()).not.toBe('open')
    expect(clock.pending).toBe(0)
  })

  it('leaves no timer once it is closed', async () => {
    const clock = new FakeClock()
    const { server } = await serve({ clock })

    await server[Symbol.asyncDispose]()

    expect(clock.pending).toBe(0)
  })

  it('says that the port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo // a listening TCP server has this kind of address
    const deps = {
      metrics: { page: async () => smallPage },
      readiness: () => [],
      clock: new SystemClock(),
      log: new FakeLogger(),
    }
    await using server = new MetricsServer(deps)

    await expect(server.listen('127.0.0.1', port)).rejects.toMatchObject({ code: 'EADDRINUSE' })
    other.close()
  })
})
