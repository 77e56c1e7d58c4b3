import { describe, expect, it } from 'vitest'
import {
  BufferReply,
  GatewayError,
  headerValue,
  type ForwardCall,
  type Forwarder,
  type Reply,
  type Upstream,
} from '#core'
import { ForwardStep } from '../../../core/pipeline/forward.ts'
import { InvocationEventHub } from '../../../core/telemetry/invocation-event-hub.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { someExchange } from './some-exchange.ts'

const provider: Upstream = { origin: 'http://provider:8081', basePath: '/base', kind: 'provider' }
const instance: Upstream = { origin: 'http://10.0.0.1:8080', basePath: '', kind: 'instance' }

/** Does what the list says, one entry per call; then answers 200. */
class FakeForwarder implements Forwarder {
  readonly calls: ForwardCall[] = []
  readonly #outcomes: (GatewayError | Reply)[]

  constructor(...outcomes: (GatewayError | Reply)[]) {
    this.#outcomes = outcomes
  }

  async forward(call: ForwardCall): Promise<Reply> {
    this.calls.push(call)
    const outcome = this.#outcomes.shift() ?? new BufferReply(200)
    if (outcome instanceof GatewayError) throw outcome
    return outcome
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

function setUp(forwarder: FakeForwarder, upstream: Upstream | undefined = provider) {
  const clock = new FakeClock()
  const events = new InvocationEventHub({ clock, log: new FakeLogger() })
  let started = 0
  events.subscribe({ started: () => void (started += 1) })
  const options = { timeoutMs: 5000, trustForwarded: true }
  const step = new ForwardStep({ forwarder, events, clock, defaultUpstream: () => upstream, options })
  return { step, clock, started: () => started }
}

function failed(accepted: boolean): GatewayError {
  return new GatewayError('upstream_failed', 'no', { details: { accepted } })
}

describe('ForwardStep', () => {
  it('sends a call to the provider under its base path, with the function in the path', async () => {
    const forwarder = new FakeForwarder()
    const { exchange } = someExchange()

    await setUp(forwarder).step.handle(exchange)

    const [call] = forwarder.calls
    expect(call).toMatchObject({ origin: 'http://provider:8081', path: '/base/function/echo/a?b', timeoutMs: 5000 })
    expect(headerValue(call?.headers ?? [], 'x-call-id')).toBe('call-1')
    expect(headerValue(call?.headers ?? [], 'x-start-time')).toBe('1700')
    expect(call).not.toHaveProperty('tunnelHeaders')
  })

  it('sends a call to an instance without the function in the path', async () => {
    const forwarder = new FakeForwarder()

    await setUp(forwarder).step.handle(someExchange().exchange.placedOn(instance))

    expect(forwarder.calls[0]).toMatchObject({ origin: 'http://10.0.0.1:8080', path: '/a?b' })
  })

  it('adds the headers of an upstream after those of the client', async () => {
    const forwarder = new FakeForwarder()
    const { exchange } = someExchange({ headers: { 'X-Pilotlight-Slot': 'forged', 'X-Mine': '1' } })

    await setUp(forwarder).step.handle(exchange.placedOn({ ...instance, headers: ['x-pilotlight-slot', 'granted'] }))

    const [call] = forwarder.calls
    expect(call?.headers.slice(0, 2)).toEqual(['X-Mine', '1'])
    expect(call?.headers.slice(-2)).toEqual(['x-pilotlight-slot', 'granted'])
    expect(call?.headers).not.toContain('forged')
  })

  it.each([
    [instance, true],
    [provider, false],
  ])('says of %j whether it is a sidecar: %s', async (upstream, toPeer) => {
    const forwarder = new FakeForwarder()

    await setUp(forwarder).step.handle(someExchange().exchange.placedOn(upstream))

    expect(forwarder.calls[0]?.toPeer).toBe(toPeer)
  })

  it('refuses a call while there is no provider', async () => {
    const forwarder = new FakeForwarder()
    const clock = new FakeClock()
    const events = new InvocationEventHub({ clock, log: new FakeLogger() })
    const options = { timeoutMs: 0, trustForwarded: true }
    const step = new ForwardStep({ forwarder, events, clock, defaultUpstream: () => undefined, options })

    await expect(step.handle(someExchange().exchange)).rejects.toMatchObject({ code: 'provider_unavailable' })
  })

  it('announces a call once, and keeps when its last attempt began', async () => {
    const { step, clock, started } = setUp(new FakeForwarder())
    const { exchange } = someExchange()

    await step.handle(exchange)
    await clock.advance(50)
    await step.handle(exchange)

    expect(started()).toBe(1)
    expect(exchange.times.forwardedMs).toBe(1_000_050)
  })

  it.each(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])(
    'repeats a %s once that was cut before its answer',
    async (method) => {
      const forwarder = new FakeForwarder(failed(true))

      const reply = await setUp(forwarder).step.handle(someExchange({ method }).exchange)

      expect(reply.status).toBe(200)
      expect(forwarder.calls).toHaveLength(2)
    },
  )

  it('leaves a cut attempt at an instance to whoever placed it there', async () => {
    const error = failed(true)
    const forwarder = new FakeForwarder(error)

    await expect(setUp(forwarder).step.handle(someExchange().exchange.placedOn(instance))).rejects.toBe(error)
    expect(forwarder.calls).toHaveLength(1)
  })

  it('gives each attempt what is left of the time limit, held or not in between', async () => {
    const forwarder = new FakeForwarder()
    const { step, clock } = setUp(forwarder)
    const { exchange } = someExchange()
    exchange.times.heldMs = 700

    await step.handle(exchange.placedOn(instance))
    await clock.advance(1000)
    exchange.times.heldMs += 400
    await step.handle(exchange.placedOn(instance))
    await clock.advance(4400)

    expect(forwarder.calls.map(({ timeoutMs }) => timeoutMs)).toEqual([5000, 4400])
    await expect(step.handle(exchange.placedOn(instance))).rejects.toMatchObject({ code: 'upstream_timeout' })
    expect(forwarder.calls).toHaveLength(2)
  })

  it('gives up after the second cut', async () => {
    const forwarder = new FakeForwarder(failed(true), failed(true))

    await expect(setUp(forwarder).step.handle(someExchange().exchange)).rejects.toMatchObject({
      code: 'upstream_failed',
    })
    expect(forwarder.calls).toHaveLength(2)
  })

  it.each([
    ['a POST', 'POST', failed(true)],
    ['a method that it does not know', 'BREW', failed(true)],
    ['a call that was never accepted', 'GET', failed(false)],
    ['a call that ran out of time', 'GET', new GatewayError('upstream_timeout', 'late')],
    ['a call whose client left', 'GET', new GatewayError('client_closed', 'left')],
  ])('does not repeat %s', async (_, method, error) => {
    const forwarder = new FakeForwarder(error)

    await expect(setUp(forwarder).step.handle(someExchange({ method }).exchange)).rejects.toBe(error)
    expect(forwarder.calls).toHaveLength(1)
  })

  it('does not repeat a call whose body is streamed away, nor one whose client has left meanwhile', async () => {
    const streamed = someExchange({ method: 'PUT', headers: { 'Transfer-Encoding': 'chunked' } })
    void streamed.client.request.body.bytes(10).catch(() => {})
    streamed.client.send('x')
    await new Promise((resolve) => setImmediate(resolve))
    const left = someExchange()
    left.client.leave()

    for (const { exchange } of [streamed, left]) {
      const forwarder = new FakeForwarder(failed(true))
      await expect(setUp(forwarder).step.handle(exchange)).rejects.toMatchObject({ code: 'upstream_failed' })
      expect(forwarder.calls).toHaveLength(1)
    }
    streamed.client.leave()
  })
})
