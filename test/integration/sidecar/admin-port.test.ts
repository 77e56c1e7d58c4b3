import { readFileSync } from 'node:fs'
import { createServer, type Server, type ServerResponse } from 'node:http'
import { describe, expect, it } from 'vitest'
import { call, type Outcome, startCall } from '../../support/callers.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, rawRequest } from '../../support/raw-http.ts'
import { runSidecar } from './running-sidecar.ts'

guardAgainstLeaks()

describe('the admin port of a sidecar', () => {
  it('says whether the process lives, and whether calls are taken', async () => {
    await using sidecar = await runSidecar({ isReady: false })
    const paths = ['/healthz', '/readyz', '/nothing', '/readyz?x=y']

    const starting = await Promise.all(paths.map((path) => call(sidecar.adminUrl + path)))
    sidecar.runner.become(false, 'process ended: exit code 3')
    const failing = await call(`${sidecar.adminUrl}/readyz`)
    sidecar.runner.become(true)
    const ready = await call(`${sidecar.adminUrl}/readyz`)
    sidecar.runner.become(false, 'gone')
    const unready = await call(`${sidecar.adminUrl}/readyz`)

    expect(starting.map(({ status }) => status)).toEqual([200, 503, 404, 503])
    expect(failing.body).toBe('the function does not accept calls: process ended: exit code 3\n')
    expect([ready.status, ready.body]).toEqual([200, 'OK'])
    expect([unready.status, unready.body]).toEqual([503, 'the function does not accept calls: gone\n'])
  })

  it('refuses other methods, and the port for calls knows nothing of it', async () => {
    await using sidecar = await runSidecar({ handler: (_, response) => response.end('the function') })

    const posted = await call(`${sidecar.adminUrl}/metrics`, { method: 'POST' })
    const drained = await call(`${sidecar.adminUrl}/drain`, { method: 'PUT' })
    const head = await call(`${sidecar.adminUrl}/healthz`, { method: 'HEAD' })
    const garbage = await rawRequest(sidecar.adminUrl, 'GET /metrics HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n')
    const traffic = await Promise.all(['/metrics', '/drain', '/load'].map((path) => call(sidecar.url + path)))

    expect([posted.status, drained.status, head.status, garbage.status]).toEqual([405, 405, 200, 400])
    expect(traffic.map(({ body }) => body)).toEqual(Array.from({ length: 3 }, () => 'the function'))
  })

  it('answers probes of watchdogs on the port for calls only where it runs the program itself', async () => {
    await using fronting = await runSidecar({ handler: (_, response) => response.end('the function') })
    await using running = await runSidecar({ env: { fprocess: 'cat', mode: 'http' }, isReady: false })

    const ofFunction = await call(`${fronting.url}/_/health`)
    const starting = [await call(`${running.url}/_/health`), await call(`${running.url}/_/ready`)]
    running.runner.become(true)
    const ready = await call(`${running.url}/_/ready`)

    expect(ofFunction.body).toBe('the function')
    expect(starting.map(({ status }) => status)).toEqual([200, 503])
    expect(ready.status).toBe(200)
  })
})

describe('the path /drain of a sidecar', () => {
  it.each(['http://127.0.0.1', 'https://evil.example', 'null'])(
    'is not for a page of %s in a browser on this machine',
    async (origin) => {
      await using sidecar = await runSidecar({})

      const drained = await call(`${sidecar.adminUrl}/drain`, { method: 'POST', headers: { origin } })

      expect([drained.status, drained.body]).toEqual([403, 'not for pages in a browser\n'])
      expect((await call(`${sidecar.adminUrl}/readyz`)).status).toBe(200)
    },
  )

  it('is not there where it is switched off', async () => {
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_DRAIN_PATH: 'off' } })

    const methods = ['POST', 'GET'].map((method) => call(`${sidecar.adminUrl}/drain`, { method }))

    expect((await Promise.all(methods)).map(({ status }) => status)).toEqual([404, 404])
    expect((await call(`${sidecar.adminUrl}/readyz`)).status).toBe(200)
  })
})

describe('the connections of an admin port', () => {
  it('are limited in number, and the first ones served all the same', async () => {
    await using sidecar = await runSidecar({})
    await using connections = new AsyncDisposableStack()
    const first = connections.use(await RawConnection.open(sidecar.adminUrl))
    await first.send('GET /healthz HTTP/1.1\r\n')
    for (let i = 1; i < 64; i += 1) connections.use(await RawConnection.open(sidecar.adminUrl))

    const further = connections.use(await RawConnection.open(sidecar.adminUrl))

    expect(await further.closed()).not.toBe('open')
    await first.send('Host: a\r\n\r\n')
    expect((await first.response()).status).toBe(200)
  })
})

describe('the metrics of a sidecar', () => {
  it('are sent to few readers at a time, because each may keep a page of megabytes waiting', async () => {
    const held: ServerResponse[] = []
    await using owner = await serve((response) => void held.push(response))
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_FUNCTION_METRICS: `${owner.url}/metrics` } })
    const refused: Outcome[] = []
    const callers = Array.from({ length: 44 }, async () => {
      const outcome = await call(`${sidecar.adminUrl}/metrics`)
      if (outcome.status === 503) refused.push(outcome)
      return outcome
    })

    await eventually('all but four to be refused', () => held.length === 1 && refused.length === 40)
    held[0]?.end('a_metric 1\n')
    const served = (await Promise.all(callers)).filter(({ status }) => status === 200)
    const later = startCall(`${sidecar.adminUrl}/metrics`)
    await eventually('the next reading', () => held.length === 2)
    held[1]?.end('a_metric 2\n')

    expect(refused[0]?.headers['retry-after']).toBe('1')
    expect(served.map(({ body }) => body.endsWith('a_metric 1\n'))).toEqual([true, true, true, true])
    expect((await later.outcome).body).toContain('a_metric 2\n')
  })

  it('count calls by status, cuts, refusals and times', async () => {
    await using sidecar = await runSidecar({
      env: { max_inflight: '7' },
      handler: (request, response) => {
        response.statusCode = request.url === '/teapot' ? 418 : 200
        response.end('x')
      },
    })
    await call(sidecar.url)
    await call(sidecar.url)
    await call(`${sidecar.url}/teapot`)
    sidecar.runner.become(false)
    await call(sidecar.url, { headers: { 'x-pilotlight-gateway': 'a' } })

    const { body, headers } = await call(`${sidecar.adminUrl}/metrics`)

    expect(headers['content-type']).toBe('text/plain; version=0.0.4; charset=utf-8')
    const lines = body.split('\n')
    expect(lines).toContain('pilotlight_sidecar_calls_total{function_name="resize.fn",code="200"} 2')
    expect(lines).toContain('pilotlight_sidecar_calls_total{function_name="resize.fn",code="418"} 1')
    expect(lines).toContain('pilotlight_sidecar_calls_refused_total{function_name="resize.fn",reason="not_ready"} 1')
    expect(lines).toContain('pilotlight_sidecar_call_seconds_count{function_name="resize.fn"} 3')
    expect(lines).toContain('pilotlight_sidecar_slots_limit{function_name="resize.fn"} 7')
    expect(lines).toContain('pilotlight_sidecar_function_ready{function_name="resize.fn"} 0')
    const readme = readFileSync('sidecar/README.md', 'utf8')
    const names = [...body.matchAll(/^# TYPE pilotlight_sidecar_(\S+)/gm)].map(([, name = '']) => name)
    expect(names.filter((name) => !readme.includes(`\`${name}\``))).toEqual([])
    expect(body).toMatch(/^pilotlight_sidecar_process_resident_memory_bytes\{function_name="resize.fn"\} \d{7,}$/m)
  })

  it("have the function's own page behind them, names that clash left out", async () => {
    const page = [
      '# HELP process_cpu_seconds_total CPU.',
      '# TYPE process_cpu_seconds_total counter',
      'process_cpu_seconds_total 12.5',
      '# TYPE pilotlight_sidecar_calls_total counter',
      'pilotlight_sidecar_calls_total{code="200"} 99999',
      'own{a="b \\" c",} +Inf 1700000000000',
      '# TYPE own2 gauge',
      '# TYPE own2 counter',
      'own2 1e3 # {trace_id="x"} 1',
      'not a line',
      'own3{a="b" c="d"} 1',
      '# EOF',
      '',
    ].join('\r\n')
    await using sidecar = await runSidecar({
      env: { PILOTLIGHT_FUNCTION_METRICS: '/own/metrics?x=y' },
      handler: (request, response) => response.end(request.url === '/own/metrics?x=y' ? page : 'no'),
    })

    const { body } = await call(`${sidecar.adminUrl}/metrics`)

    const own = body.slice(body.indexOf('# HELP process_cpu_seconds_total CPU.'))
    expect(own.split('\n')).toEqual([
      '# HELP process_cpu_seconds_total CPU.',
      '# TYPE process_cpu_seconds_total counter',
      'process_cpu_seconds_total 12.5',
      'own{a="b \\" c",} +Inf 1700000000000',
      '# TYPE own2 gauge',
      'own2 1e3',
      "# the function's own metrics: 3 lines left out: not in the text format, or of a name that is taken",
      '',
    ])
    expect(body).toContain('pilotlight_sidecar_function_page_up{function_name="resize.fn"} 1\n')
    expect(body).not.toContain(' 99999')
  })

  it.each<{ name: string; answer: (response: ServerResponse) => void; note: RegExp }>([
    { name: 'hangs', answer: () => {}, note: /no whole answer within 3000 ms/ },
    { name: 'drips', answer: (response) => void response.write('a 1\n'), note: /no whole answer within 3000 ms/ },
    { name: 'floods', answer: flood, note: /more than 4194304 bytes/ },
    { name: 'fails', answer: (response) => response.writeHead(500).end('x'), note: /status 500/ },
    { name: 'redirects', answer: (response) => response.writeHead(302, { location: '/' }).end(), note: /status 302/ },
    { name: 'breaks off', answer: breakOff, note: /aborted|ECONNRESET|hang up/ },
    { name: 'is no HTTP', answer: (response) => void response.socket?.end('nonsense\r\n\r\n'), note: /Parse Error/ },
  ])('stand alone when the page of the function $name', async ({ answer, note }) => {
    await using owner = await serve(answer)
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_FUNCTION_METRICS: `${owner.url}/metrics` } })

    const [one, other] = await Promise.all([call(`${sidecar.adminUrl}/metrics`), call(`${sidecar.adminUrl}/metrics`)])

    expect(one.status).toBe(200)
    expect(other.body).toMatch(note)
    expect(one.body).toMatch(/\n# the function's own metrics: [^\n]+\n$/)
    expect(one.body).toContain('pilotlight_sidecar_function_page_up{function_name="resize.fn"} 0\n')
    expect(owner.asked()).toBe(1) // scrapes at the same time share one reading
  })

  it('stand alone when the page of the function is random bytes', async () => {
    const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 251))
    await using owner = await serve((response) => response.end(bytes))
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_FUNCTION_METRICS: `${owner.url}/metrics` } })

    const { body } = await call(`${sidecar.adminUrl}/metrics`)

    expect(body).toMatch(/# the function's own metrics: \d+ lines left out[^\n]*\n$/)
  })
})

async function serve(answer: (response: ServerResponse) => void) {
  let asked = 0
  const server: Server = createServer((_, response) => {
    asked += 1
    answer(response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}`,
    asked: () => asked,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function flood(response: ServerResponse): void {
  const piece = 'a_metric 1\n'.repeat(10_000)
  const send = (): void => {
    while (!response.destroyed && response.write(piece));
    response.once('drain', send)
  }
  send()
}

function breakOff(response: ServerResponse): void {
  response.setHeader('content-length', '100')
  response.write('a 1\n', () => response.socket?.resetAndDestroy())
}
