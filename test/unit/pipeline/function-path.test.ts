import { describe, expect, it } from 'vitest'
import { BufferReply, GatewayError, headerValue, type Exchange, type Handler, type Reply } from '#core'
import { FunctionPath } from '../../../core/pipeline/function-path.ts'
import { FunctionRouter } from '../../../core/routing/function-router.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { someRequest, type SomeRequest } from '../http/some-request.ts'

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

async function call(
  decided: SomeRequest = {},
  pipeline: Handler = async () => new BufferReply(200),
): Promise<{ reply: Reply; exchange: Exchange | undefined; failures: unknown[] }> {
  const failures: unknown[] = []
  let exchange: Exchange | undefined
  const path = new FunctionPath({
    router: new FunctionRouter('fn'),
    pipeline: (passed) => {
      exchange = passed
      return pipeline(passed)
    },
    clock: new FakeClock(),
    servedBy: 'pilotlight/1',
    onFailure: (error) => failures.push(error),
  })
  const reply = await path.handle(someRequest({ target: '/function/echo/a?b', ...decided }).request)
  return { reply, exchange, failures }
}

describe('FunctionPath', () => {
  it('hands a routed call to the pipeline, with an id and the instant it came', async () => {
    const { exchange } = await call()

    expect(exchange?.route).toMatchObject({ identity: { key: 'echo.fn' }, rest: '/a?b' })
    expect(exchange?.id).toMatch(uuid)
    expect(exchange?.startTime).toBe('1767225600000000000')
    expect(exchange?.times).toEqual({ receivedMs: 1_000_000, forwardedMs: 0, heldMs: 0 })
  })

  it.each([
    ['its own id', { 'X-Call-Id': 'mine' }, 'mine'],
    ['an empty id', { 'X-Call-Id': '' }, uuid],
    ['no id', {}, uuid],
  ])('numbers a call that brings %s', async (_, headers, id) => {
    const { reply, exchange } = await call({ headers })

    expect(exchange?.id).toMatch(id)
    expect(headerValue(reply.headers, 'x-call-id')).toBe(exchange?.id)
  })

  it('marks every answer, failures included', async () => {
    const answers = [await call(), await call({}, () => Promise.reject(new GatewayError('upstream_failed', 'no')))]

    for (const { reply, exchange } of answers) {
      expect(headerValue(reply.headers, 'x-call-id')).toBe(exchange?.id)
      expect(headerValue(reply.headers, 'x-start-time')).toBe('1767225600000000000')
      expect(headerValue(reply.headers, 'x-served-by')).toBe('pilotlight/1')
    }
    expect(answers.map(({ reply }) => reply.status)).toEqual([200, 502])
  })

  it("leaves the function's own marks alone", async () => {
    const own = { 'x-call-id': 'f', 'X-START-TIME': '1', 'X-Served-By': 'me' }

    const { reply } = await call({}, async () => new BufferReply(200, own))

    expect(reply.headers.filter((text) => /^x-/i.test(text))).toEqual(['x-call-id', 'X-START-TIME', 'X-Served-By'])
  })

  it('answers 404 to a path that names no function, without asking the pipeline', async () => {
    const { reply, exchange } = await call({ target: '/function/a%2Fb' })

    expect(reply.status).toBe(404)
    expect(exchange).toBeUndefined()
  })

  it('tells the log of failures that are the fault of nobody outside, and only of those', async () => {
    const bug = new TypeError('x is not a function')
    const broken = await call({}, () => Promise.reject(bug))
    const refused = await call({}, () => Promise.reject(new GatewayError('queue_full', 'full')))

    expect(broken.reply.status).toBe(500)
    expect(broken.failures).toEqual([bug])
    expect(refused.reply.status).toBe(503)
    expect(refused.failures).toEqual([])
  })
})
