import { describe, expect, it } from 'vitest'
import { BufferReply, contextKey, GatewayError, type Exchange, type Handler } from '#core'
import { Waking } from './waking.ts'

const lacksEndpoint = (): BufferReply =>
  new BufferReply(503, { 'X-OpenFaaS-Internal': 'proxy' }, 'No endpoints available')

/** Answers with what the list says, the last one again and again; counts the attempts. */
function answers(...list: readonly (() => BufferReply)[]): { attempts: number; handle: Handler } {
  const next = {
    attempts: 0,
    handle: async () => {
      const answer = list[Math.min(next.attempts, list.length - 1)]
      next.attempts += 1
      return answer?.() ?? new BufferReply(500)
    },
  }
  return next
}

function readyFunction(): Waking {
  const waking = new Waking()
  waking.query.becomeReady()
  waking.observe({ phase: 'ready', desired: 1, available: 1 })
  return waking
}

describe('ReadyGate', () => {
  it('lets a call of a ready function through without asking anybody', async () => {
    const waking = readyFunction()
    const announced = waking.announced()

    const call = waking.pass()
    await waking.clock.advance(0)

    expect(call.value?.status).toBe(200)
    expect(waking.query.statuses).toEqual([])
    expect(announced).toEqual([])
  })

  it('holds a call of any other function until it is ready', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 100
    const next = answers(() => new BufferReply(200))

    const call = waking.pass(next.handle)
    await waking.clock.advance(90)
    const whileWaking = next.attempts
    await waking.clock.advance(50)

    expect(whileWaking).toBe(0)
    expect(call.value?.status).toBe(200)
    expect(next.attempts).toBe(1)
  })

  it('wakes a function that was scaled to zero behind its back, and answers from it', async () => {
    const waking = readyFunction()
    waking.query.desired = 0
    waking.query.available = 0
    waking.query.readyAfterMs = 50
    const next = answers(lacksEndpoint, () => new BufferReply(200))

    const call = waking.pass(next.handle)
    await waking.clock.advance(200)

    expect(call.value?.status).toBe(200)
    expect(next.attempts).toBe(2)
    expect(waking.query.scales).toHaveLength(1)
  })

  it('asks the provider once for all calls that find a ready function gone', async () => {
    const waking = readyFunction()
    waking.query.desired = 0
    waking.query.available = 0
    waking.query.readyAfterMs = 50

    const calls = Array.from({ length: 20 }, () =>
      waking.pass(answers(lacksEndpoint, () => new BufferReply(200)).handle),
    )
    await waking.clock.advance(200)
    const replies = await Promise.all(calls.map((call) => call.outcome))

    expect(replies.every(({ status }) => status === 200)).toBe(true)
    expect(waking.query.scales).toHaveLength(1)
  })

  it('tries again for some seconds while the provider reports an endpoint that it does not have, then passes its answer on', async () => {
    const waking = readyFunction()
    const next = answers(lacksEndpoint)
    const fromMs = waking.clock.monotonicMs()
    let tookMs = 0
    const call = waking.pass(next.handle)
    void call.outcome.then(() => (tookMs = waking.clock.monotonicMs() - fromMs))

    await waking.clock.advance(10_000)

    expect(call.value?.status).toBe(503)
    expect(next.attempts).toBe(14)
    expect(tookMs).toBeGreaterThan(3_000)
    expect(tookMs).toBeLessThan(5_000)
    expect(waking.clock.pending).toBe(0)
  })

  it('discards the answers that it does not pass on', async () => {
    const waking = readyFunction()
    const ends: string[] = []
    const first = lacksEndpoint()
    first.onEnd((end) => ends.push(end))

    waking.pass(
      answers(
        () => first,
        () => new BufferReply(200),
      ).handle,
    )
    await waking.clock.advance(100)

    expect(ends).toEqual(['discarded'])
  })

  it("passes a function's own 503 on", async () => {
    const waking = readyFunction()
    const next = answers(() => new BufferReply(503, {}, 'busy'))

    const call = waking.pass(next.handle)
    await waking.clock.advance(100)

    expect(call.value?.status).toBe(503)
    expect(next.attempts).toBe(1)
  })

  it('passes the answer on when the body has been streamed away', async () => {
    const waking = readyFunction()
    const next = answers(lacksEndpoint, () => new BufferReply(200))
    const streaming: Handler = async (exchange) => {
      await exchange.request.body.bytes(100)
      return next.handle(exchange)
    }

    const call = waking.pass(streaming, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } })
    call.client.send('body')
    call.client.end()
    await waking.clock.advance(100)

    expect(call.value?.status).toBe(503)
    expect(next.attempts).toBe(1)
  })

  it('sends a kept body again', async () => {
    const waking = readyFunction()
    const bodies: string[] = []
    const next = answers(lacksEndpoint, () => new BufferReply(200))
    const reading: Handler = async (exchange) => {
      bodies.push((await exchange.request.body.bytes(100)).toString())
      return next.handle(exchange)
    }

    const call = waking.pass(reading, { method: 'POST', headers: { 'Content-Length': '4' }, replayBodyBytes: 10 })
    call.client.send('body')
    call.client.end()
    await waking.clock.advance(100)

    expect(call.value?.status).toBe(200)
    expect(bodies).toEqual(['body', 'body'])
  })

  it('sends nothing again after the client has left', async () => {
    const waking = readyFunction()
    const next = answers(lacksEndpoint)
    const call = waking.pass(next.handle)
    await waking.clock.advance(100)
    const attempts = next.attempts

    call.client.leave()
    await waking.clock.advance(10_000)

    expect(attempts).toBeGreaterThan(1)
    expect(next.attempts).toBe(attempts)
    expect(call.ended).toBe('client_closed')
  })

  it.each([
    ['an instance that may have seen the call', 'instance', true],
    ['a provider that is away', 'provider', false],
  ] as const)('passes the failure of %s on', async (_, kind, accepted) => {
    const waking = readyFunction()
    const failing: Handler = () => Promise.reject(new GatewayError('upstream_failed', 'no', { details: { accepted } }))

    const call = waking.pass(failing, {}, { origin: 'http://10.0.0.1:8080', basePath: '', kind })
    await waking.clock.advance(100)

    expect(call.ended).toBe('upstream_failed')
    expect(waking.state?.phase).toBe('ready')
  })

  it('leaves a newer observation alone when an older attempt finds no endpoint', async () => {
    const waking = readyFunction()
    const slow = Promise.withResolvers<void>()
    const next = answers(lacksEndpoint, () => new BufferReply(200))
    const call = waking.pass((exchange) => slow.promise.then(() => next.handle(exchange)))
    await waking.clock.advance(10)

    waking.observe({ phase: 'ready', desired: 3, available: 3 })
    slow.resolve()
    await waking.clock.advance(0)

    expect(call.value?.status).toBe(200)
    expect(waking.state).toMatchObject({ phase: 'ready', available: 3 })
    expect(waking.query.statuses).toEqual([])
  })

  it('hands the exchange on as it is', async () => {
    const waking = readyFunction()
    const key = contextKey('note', '')
    let seen: Exchange | undefined

    const call = waking.pass(async (exchange) => {
      exchange.set(key, 'inside')
      seen = exchange
      return new BufferReply(200)
    })
    await waking.clock.advance(0)

    expect(seen).toBe(call.exchange)
    expect(call.exchange.get(key)).toBe('inside')
  })
})
