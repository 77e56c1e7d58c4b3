import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { readReport } from '../../../core/instances/signed-report.ts'
import type { InstancePhase } from '../../../core/instances/instance-record.ts'
import { call, startCall } from '../../support/callers.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'
import { type FunctionHandler, instanceKey, runSidecar } from './running-sidecar.ts'

guardAgainstLeaks()

const ofGateway = { 'x-pilotlight-gateway': 'a' }

/** A gateway that takes reports, and answers departures when it is told to. */
async function startGateway() {
  const phases: InstancePhase[] = []
  const leaving = Promise.withResolvers<void>()
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () => {
      const { record } = readReport(Buffer.concat(pieces).toString(), instanceKey, Date.now())
      phases.push(record.phase)
      const answer = (): void => void response.end('{"ttlMs":10000,"acknowledged":0,"silent":0}')
      if (record.phase === 'leaving') void leaving.promise.then(answer)
      else answer()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo // a TCP server's address
  return {
    url: `http://127.0.0.1:${port}`,
    phases,
    acknowledge: leaving.resolve,
    async [Symbol.asyncDispose]() {
      leaving.resolve()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function slow(answers: (() => void)[]): FunctionHandler {
  return (request, response) => {
    request.resume()
    if (request.url === '/events') {
      response.setHeader('Content-Type', 'text/event-stream')
      response.write('data: 1\n\n')
    } else if (request.url === '/slow') answers.push(() => response.end('slow'))
    else response.end('quick')
  }
}

describe('a sidecar that leaves', () => {
  it('serves gateways until all of them know, then sends them elsewhere; everybody else is served to the end', async () => {
    await using gateway = await startGateway()
    const answers: (() => void)[] = []
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_GATEWAYS: gateway.url }, handler: slow(answers) })
    const underWay = startCall(`${sidecar.url}/slow`)
    await eventually('the call', () => answers.length === 1)
    await eventually('the report', () => gateway.phases.includes('ready'))

    const left = sidecar.sidecar.leave()
    await eventually('the departure', () => gateway.phases.includes('leaving'))
    const before = await call(sidecar.url, { headers: ofGateway })
    const ready = await call(`${sidecar.adminUrl}/readyz`)
    gateway.acknowledge()
    const after = await eventually('gateways to be sent elsewhere', async () => {
      const outcome = await call(sidecar.url, { headers: ofGateway })
      return outcome.status === 503 ? outcome : undefined
    })
    const other = await call(sidecar.url)
    answers[0]?.()
    await left

    expect(before.body).toBe('quick')
    expect([ready.status, ready.body]).toEqual([503, 'the instance is leaving\n'])
    expect(after.headers['x-pilotlight-refusal']).toBe('draining')
    expect(other.body).toBe('quick')
    expect((await underWay.outcome).body).toBe('slow')
    expect((await call(sidecar.url)).body).toBe('quick')
  })

  it('tells whoever asks for slots, now and before, with 410', async () => {
    const answers: (() => void)[] = []
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler: slow(answers) })
    const underWay = startCall(`${sidecar.url}/slow`)
    await eventually('the call', () => answers.length === 1)
    const asking = {
      method: 'POST',
      headers: { authorization: sidecar.authorization },
      body: JSON.stringify({ gateway: 'a', want: 1, waitMs: 10_000 }),
    }
    const before = startCall(`${sidecar.url}/.pilotlight/slots`, asking)
    await new Promise((resolve) => setTimeout(resolve, 30))

    const left = sidecar.sidecar.leave()
    const statuses = [(await before.outcome).status, (await call(`${sidecar.url}/.pilotlight/slots`, asking)).status]
    answers[0]?.()
    await left

    expect(statuses).toEqual([410, 410])
    expect((await underWay.outcome).status).toBe(200)
  })

  it('waits for open streams, and ends what is left when the grace period is over', async () => {
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_GRACE_PERIOD: '400ms' }, handler: slow([]) })
    await using connection = await RawConnection.open(sidecar.url)
    await connection.send(requestBytes('GET', '/events'))
    await connection.shows('data: 1')
    const beganMs = performance.now()

    await sidecar.sidecar.stop()

    expect(performance.now() - beganMs).toBeGreaterThanOrEqual(399)
    expect(await connection.closed()).not.toBe('open')
    expect(sidecar.runner.stops).toEqual([500])
    expect(sidecar.log.messages('warn')).toContain('the grace period is over: what is left will be cut')
  })

  it('ends open streams at once where that is the policy, those that begin then as well, and nothing else', async () => {
    const answers: (() => void)[] = []
    await using sidecar = await runSidecar({
      env: { PILOTLIGHT_STREAM_POLICY: 'cut', PILOTLIGHT_GRACE_PERIOD: '20s' },
      handler: slow(answers),
    })
    await using connection = await RawConnection.open(sidecar.url)
    await connection.send(requestBytes('GET', '/events'))
    await connection.shows('data: 1')
    const underWay = startCall(`${sidecar.url}/slow`)
    await eventually('the call', () => answers.length === 1)

    const stopped = sidecar.sidecar.stop()
    await connection.closed()
    await using late = await RawConnection.open(sidecar.url)
    await late.send(requestBytes('GET', '/events'))
    await late.closed()
    answers[0]?.()
    await stopped

    expect((await underWay.outcome).body).toBe('slow')
    expect(sidecar.runner.stops[0]).toBeGreaterThan(10_000)
  })

  it('lets those in who wait in its queue, before it stops', async () => {
    const answers: (() => void)[] = []
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler: slow(answers) })
    const first = startCall(`${sidecar.url}/slow`)
    await eventually('the call', () => answers.length === 1)
    const queued = startCall(sidecar.url)
    await eventually('the caller to wait', async () =>
      (await call(`${sidecar.adminUrl}/load`)).body.includes('"queued":1'),
    )

    const stopped = sidecar.sidecar.stop()
    answers[0]?.()
    const bodies = [(await first.outcome).body, (await queued.outcome).body]
    await stopped

    expect(bodies).toEqual(['slow', 'quick'])
  })

  it('goes on until nobody has called for the quiet period', async () => {
    await using sidecar = await runSidecar({ env: { PILOTLIGHT_QUIET_PERIOD: '300ms' } })
    await call(sidecar.url)
    const beganMs = performance.now()
    let isOver = false

    const left = sidecar.sidecar.leave().then(() => (isOver = true))
    while (performance.now() - beganMs < 500) expect((await call(sidecar.url)).status).toBe(200)
    const wasOver = isOver
    await left

    expect(wasOver).toBe(false)
    expect(performance.now() - beganMs).toBeGreaterThan(750)
  })

  it('that nobody has called goes on for the quiet period after gateways know: others hear of it later', async () => {
    await using gateway = await startGateway()
    const env = { PILOTLIGHT_GATEWAYS: gateway.url, PILOTLIGHT_QUIET_PERIOD: '300ms' }
    await using sidecar = await runSidecar({ env })
    await eventually('the report', () => gateway.phases.includes('ready'))

    const stopped = sidecar.sidecar.stop()
    await eventually('the departure', () => gateway.phases.includes('leaving'))
    const toldMs = performance.now()
    gateway.acknowledge()
    const late = await call(sidecar.url)
    await stopped

    expect(late.status).toBe(200)
    expect(performance.now() - toldMs).toBeGreaterThanOrEqual(300)
  })

  it('while its function starts lets callers in when that becomes ready', async () => {
    await using sidecar = await runSidecar({ isReady: false })
    const waiting = startCall(sidecar.url)
    await eventually('the caller to wait', async () =>
      (await call(`${sidecar.adminUrl}/load`)).body.includes('"queued":1'),
    )

    const stopped = sidecar.sidecar.stop()
    sidecar.runner.become(true)
    const { status } = await waiting.outcome
    await stopped

    expect(status).toBe(200)
  })

  it('sends nobody to a function that dies meanwhile', async () => {
    await using gateway = await startGateway()
    const env = { PILOTLIGHT_GATEWAYS: gateway.url, PILOTLIGHT_QUEUE_TIMEOUT: '50ms' }
    await using sidecar = await runSidecar({ env })
    const left = sidecar.sidecar.leave()
    await eventually('the departure', () => gateway.phases.includes('leaving'))

    sidecar.runner.become(false, 'process ended: exit code 3')
    const [refused, other] = [await call(sidecar.url, { headers: ofGateway }), await call(sidecar.url)]
    gateway.acknowledge()
    await left

    expect(refused.headers['x-pilotlight-refusal']).toBe('not_ready')
    expect([other.status, sidecar.seen.total]).toEqual([503, 0])
  })

  it('is drained by POST /drain from this machine, which is answered at the end', async () => {
    const answers: (() => void)[] = []
    await using sidecar = await runSidecar({ handler: slow(answers) })
    const underWay = startCall(`${sidecar.url}/slow`)
    await eventually('the call', () => answers.length === 1)

    const drain = startCall(`${sidecar.adminUrl}/drain`, { method: 'POST' })
    let isOver = false
    void drain.outcome.then(() => (isOver = true))
    await eventually('the phase', async () => (await call(`${sidecar.adminUrl}/readyz`)).body.includes('leaving'))
    const wasOver = isOver
    answers[0]?.()
    const outcome = await drain.outcome
    const again = await call(`${sidecar.adminUrl}/drain`, { method: 'POST' })

    expect(wasOver).toBe(false)
    expect([outcome.status, outcome.body, again.status]).toEqual([200, 'drained\n', 200])
    expect((await underWay.outcome).status).toBe(200)
    expect((await call(`${sidecar.adminUrl}/healthz`)).status).toBe(200)
  })
})
