import { describe, expect, it } from 'vitest'
import { call, callTogether, type Outcome, startCall, statuses } from '../../support/callers.ts'
import { eventually, pause } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { header, RawConnection, requestBytes } from '../../support/raw-http.ts'
import { type FunctionHandler, type RunningSidecar, runSidecar } from './running-sidecar.ts'

guardAgainstLeaks()

/** A function that answers when it is told to. */
function heldFunction(): {
  handler: FunctionHandler
  answerOne: () => Promise<void>
  answerAll: () => void
  waiting: () => number
} {
  const held: (() => void)[] = []
  const handler: FunctionHandler = (request, response) => {
    request.resume()
    held.push(() => response.end(String(request.headers['x-name'] ?? 'done')))
  }
  return {
    handler,
    waiting: () => held.length,
    answerAll: () => {
      for (const answer of held.splice(0)) answer()
    },
    answerOne: async () => {
      await eventually('a call to answer', () => held.length > 0)
      held.shift()?.()
    },
  }
}

/** Asks for slots as a gateway does. */
function ask(sidecar: RunningSidecar, gateway: string, { want = 1, waitMs = 10_000 } = {}) {
  const { authorization } = sidecar
  const body = JSON.stringify({ gateway, want, waitMs })
  const asked = startCall(`${sidecar.url}/.pilotlight/slots`, { method: 'POST', headers: { authorization }, body })
  const slots = asked.outcome.then((outcome) => {
    if (outcome.status !== 200) return []
    const { slots: tokens } = JSON.parse(outcome.body) as { slots: string[] } // what the protocol says
    return tokens
  })
  return { ...asked, slots }
}

const ofGateway = { 'x-pilotlight-gateway': 'a' }

describe('the slots of a sidecar', () => {
  it('are never exceeded by a thousand calls at a time, of gateways and others', async () => {
    await using sidecar = await runSidecar({
      env: { max_inflight: '4', PILOTLIGHT_QUEUE_LENGTH: '1000', PILOTLIGHT_QUEUE_TIMEOUT: '60s' },
      handler: (request, response) => {
        request.resume()
        setTimeout(() => response.end('x'), 2)
      },
    })

    const outcomes = await Promise.all(
      Array.from({ length: 1000 }, (_, index) =>
        call(sidecar.url, { method: 'POST', body: 'x', headers: index % 2 === 0 ? {} : ofGateway }),
      ),
    )
    const direct = outcomes.filter((_, index) => index % 2 === 0)
    const ofGateways = outcomes.filter((_, index) => index % 2 === 1)

    expect(sidecar.seen.most).toBe(4)
    expect(statuses(direct)).toEqual({ 200: 500 })
    const refused = ofGateways.filter(({ status }) => status === 503)
    expect(refused.length + ofGateways.filter(({ status }) => status === 200).length).toBe(500)
    expect(new Set(refused.map(({ headers }) => headers['x-pilotlight-refusal']))).toEqual(new Set(['full']))
  }, 30_000)

  it('are given to two gateways that wait in turns, whoever asks more', async () => {
    const { handler, answerOne } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)
    const order: string[] = []
    const outcomes: Promise<Outcome>[] = []
    /** Sends `calls` calls, each as soon as it has a slot, as a gateway with a queue does. */
    const gateway = async (name: string, calls: number): Promise<void> => {
      for (let left = calls; left > 0; left -= 1) {
        const [token = ''] = await ask(sidecar, name).slots
        order.push(name)
        const headers = { 'x-pilotlight-gateway': name, 'x-pilotlight-slot': token }
        outcomes.push(call(sidecar.url, { headers }))
      }
    }
    const both = Promise.all([gateway('a', 6), gateway('b', 6)])

    for (let answered = 0; answered < 13; answered += 1) await answerOne()
    await both
    await first.outcome

    expect(statuses(await Promise.all(outcomes))).toEqual({ 200: 12 })
    expect(sidecar.seen.most).toBe(1)
    expect(order.length).toBe(12)
    // In turns: after any even number of slots both have the same, but for the question that is on its way.
    for (let at = 2; at < 12; at += 2) {
      const ofA = order.slice(0, at).filter((name) => name === 'a').length
      expect(Math.abs(2 * ofA - at)).toBeLessThanOrEqual(2)
    }
  })

  it('that are free are given at once, as many as there are', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '3' } })

    const tokens = await ask(sidecar, 'a', { want: 10 }).slots
    const whileReserved = await call(sidecar.url, { headers: ofGateway })

    expect(tokens.length).toBe(3)
    expect(new Set(tokens).size).toBe(3)
    expect(whileReserved.headers['x-pilotlight-refusal']).toBe('full')
  })

  it('that nobody uses within 500 ms are free again, and their tokens worth nothing', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '1' } })
    const [token = ''] = await ask(sidecar, 'a').slots

    const [next = ''] = await ask(sidecar, 'b').slots
    const late = await call(sidecar.url, { headers: { ...ofGateway, 'x-pilotlight-slot': token } })
    const inTime = await call(sidecar.url, { headers: { ...ofGateway, 'x-pilotlight-slot': next } })
    const twice = await call(sidecar.url, { headers: { ...ofGateway, 'x-pilotlight-slot': next } })

    expect(late.headers['x-pilotlight-refusal']).toBe('full')
    expect(inTime.status).toBe(200)
    expect(twice.status).toBe(200) // it has no slot any more, and finds one that is free
  })

  it('that are given back are there at once', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '1' } })
    const [token = ''] = await ask(sidecar, 'a').slots
    const { authorization } = sidecar

    const back = await call(`${sidecar.url}/.pilotlight/slots/${token}`, {
      method: 'DELETE',
      headers: { authorization },
    })
    const after = await call(sidecar.url, { headers: ofGateway })

    expect(back.status).toBe(204)
    expect(after.status).toBe(200)
  })

  it('are not kept for a gateway that has hung up', async () => {
    const { handler, answerAll } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)
    const gone = ask(sidecar, 'a', { want: 5 })
    const stays = ask(sidecar, 'b')
    await new Promise((resolve) => setTimeout(resolve, 50))

    gone.leave()
    await gone.outcome
    await new Promise((resolve) => setTimeout(resolve, 50))
    answerAll()
    await first.outcome

    expect(await stays.slots).toHaveLength(1)
  })

  it('are answered with none when the time is over', async () => {
    const { handler, answerAll } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)

    const outcome = await ask(sidecar, 'a', { waitMs: 30 }).outcome
    answerAll()

    expect([outcome.status, JSON.parse(outcome.body)]).toEqual([200, { slots: [] }])
    expect((await first.outcome).status).toBe(200)
  })

  it('are given the moment the function becomes ready, and not before', async () => {
    await using sidecar = await runSidecar({ env: { max_inflight: '2' }, isReady: false })
    const [a, b] = [ask(sidecar, 'a', { want: 2 }), ask(sidecar, 'b', { want: 2 })]
    const early = await call(sidecar.url, { headers: ofGateway })

    sidecar.runner.become(true)

    expect(early.headers['x-pilotlight-refusal']).toBe('not_ready')
    expect((await a.slots).length).toBe(1)
    expect((await b.slots).length).toBe(1)
  })

  it('are asked for in vain without the key: the path is one of the function', async () => {
    await using sidecar = await runSidecar({
      handler: (request, response) => response.end(`${request.method} ${request.url} ${request.headers.authorization}`),
    })

    const own = await call(`${sidecar.url}/.pilotlight/slots`, {
      method: 'POST',
      headers: { authorization: 'Bearer x' },
      body: '{}',
    })
    const other = await call(`${sidecar.url}/.pilotlight/slots2`, { headers: { authorization: sidecar.authorization } })

    expect(own.body).toBe('POST /.pilotlight/slots Bearer x')
    expect(other.body).toContain('GET /.pilotlight/slots2')
  })

  it('refuse a question that cannot be read', async () => {
    await using sidecar = await runSidecar()
    const { authorization } = sidecar
    const bodies = [
      '',
      '{',
      '[]',
      '{"gateway":"a"}',
      '{"gateway":"","want":1}',
      '{"gateway":"a","want":0}',
      '{"gateway":"a","want":1,"waitMs":-1}',
    ]

    const outcomes = await Promise.all(
      bodies.map((body) =>
        call(`${sidecar.url}/.pilotlight/slots`, { method: 'POST', headers: { authorization }, body }),
      ),
    )
    const huge = await call(`${sidecar.url}/.pilotlight/slots`, {
      method: 'POST',
      headers: { authorization },
      body: 'x'.repeat(10_000),
    })
    const wrongMethod = await call(`${sidecar.url}/.pilotlight/slots`, { headers: { authorization } })

    expect(statuses(outcomes)).toEqual({ 400: bodies.length })
    expect(huge.status).toBe(413)
    expect(wrongMethod.status).toBe(405)
  })
})

describe('the queue of a sidecar', () => {
  it('refuses callers beyond its length with 429 and Retry-After, and those who wait for too long', async () => {
    const { handler, answerAll, waiting } = heldFunction()
    await using sidecar = await runSidecar({
      env: { max_inflight: '1', PILOTLIGHT_QUEUE_LENGTH: '2', PILOTLIGHT_QUEUE_TIMEOUT: '200ms' },
      handler,
    })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => waiting() === 1)

    const others = await callTogether(5, sidecar.url)
    answerAll()

    expect(statuses(others)).toEqual({ 429: 5 })
    expect(others.every(({ headers }) => headers['retry-after'] === '1')).toBe(true)
    expect((await first.outcome).status).toBe(200)
  })

  it('lets callers in while gateways ask without end', async () => {
    const { handler, answerOne } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)
    const asked = [ask(sidecar, 'a'), ask(sidecar, 'a'), ask(sidecar, 'a')]
    await eventually('the questions', async () => (await metric(sidecar, 'calls_queued')) === 0)
    const direct = startCall(sidecar.url, { headers: { 'x-name': 'direct' } })
    await eventually('the caller to wait', async () => (await metric(sidecar, 'calls_queued')) === 1)

    await answerOne()
    const [token = ''] = await Promise.race(asked.map(({ slots }) => slots))
    const ofA = startCall(sidecar.url, { headers: { ...ofGateway, 'x-pilotlight-slot': token } })
    await answerOne()
    await answerOne()

    expect((await direct.outcome).body).toBe('direct')
    expect((await ofA.outcome).status).toBe(200)
    expect((await first.outcome).status).toBe(200)
    for (const one of asked) one.leave()
  })

  it('forgets callers that leave: they reach no function and take no slot', async () => {
    const { handler, answerAll, waiting } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => waiting() === 1)
    const leaving = Array.from({ length: 20 }, () => startCall(sidecar.url))
    await eventually('the callers to wait', async () => (await metric(sidecar, 'calls_queued')) === 20)

    for (const one of leaving) one.leave()
    await eventually('the queue to be empty', async () => (await metric(sidecar, 'calls_queued')) === 0)
    answerAll()
    await first.outcome
    const next = await startCall(sidecar.url, { headers: ofGateway })
    await eventually('the next call', () => waiting() === 1)
    answerAll()

    expect((await next.outcome).status).toBe(200)
    expect(sidecar.seen.total).toBe(2)
  })

  it('sends a caller away, whose body it must not read yet, before the time for reading that is over', async () => {
    const { handler, answerAll } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1', read_timeout: '400ms' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)
    await using connection = await RawConnection.open(sidecar.url)

    await connection.send(requestBytes('POST', '/', ['Content-Length: 5', 'Expect: 100-continue']))
    const answer = await connection.response('POST')
    answerAll()
    await first.outcome

    // Later it would be 408.
    expect([answer.status, header(answer, 'retry-after')]).toEqual([429, '1'])
  })

  it('keeps a caller whose body has arrived for longer than the time for reading it', async () => {
    const { handler, answerAll } = heldFunction()
    await using sidecar = await runSidecar({ env: { max_inflight: '1', read_timeout: '100ms' }, handler })
    const first = startCall(sidecar.url)
    await eventually('the first call', () => sidecar.seen.now === 1)

    const waiting = startCall(sidecar.url, { method: 'POST', body: 'small' })
    await pause(1_200) // node looks for requests that are late once a second
    answerAll()
    await first.outcome
    await eventually('the second call', () => sidecar.seen.total === 2)
    answerAll()

    expect((await waiting.outcome).status).toBe(200)
  })

  it('holds callers until a function that starts is ready, and says why when it is not in time', async () => {
    await using sidecar = await runSidecar({ isReady: false, env: { PILOTLIGHT_QUEUE_TIMEOUT: '300ms' } })
    sidecar.runner.become(false, 'process ended: exit code 3')
    const late = await call(sidecar.url)
    const early = startCall(sidecar.url)
    await eventually('the caller to wait', async () => (await metric(sidecar, 'calls_queued')) === 1)

    sidecar.runner.become(true)

    expect(late.status).toBe(503)
    expect(late.body).toContain('process ended: exit code 3')
    expect(late.headers['x-pilotlight-refusal']).toBeUndefined()
    expect((await early.outcome).status).toBe(200)
  })
})

async function metric({ adminUrl }: RunningSidecar, name: string): Promise<number | undefined> {
  const { body } = await call(`${adminUrl}/metrics`)
  const value = new RegExp(`^pilotlight_sidecar_${name}\\{[^}]*\\} (.*)$`, 'm').exec(body)?.[1]
  return value === undefined ? undefined : Number(value)
}
