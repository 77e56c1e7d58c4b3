import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import {
  BufferReply,
  headerValue,
  jsonReply,
  StreamReply,
  type InvocationCounts,
  type Reply,
  type SystemRequest,
} from '#core'
import { GatewayRequest } from '../../../../core/http/gateway-request.ts'
import { CountedListing } from '../../../../plugins/add-metrics/counted-listing.ts'

const zeroTime = '0001-01-01T00:00:00Z'
const created = '2026-01-01T00:00:00Z'

/** The gateway's own counts, and how often they were asked for. */
class OwnCounts implements InvocationCounts {
  asked = 0

  async totals(): Promise<ReadonlyMap<string, number>> {
    this.asked += 1
    return new Map([['echo.fn', 7]])
  }
}

interface Setting {
  readonly inner: Reply
  readonly prometheus?: ReadonlyMap<string, number> | undefined
  readonly method?: string
  readonly path?: string
}

async function list({ inner, prometheus, method = 'GET', path = '/system/functions' }: Setting) {
  const asked: string[][] = []
  const counts = new OwnCounts()
  const layer = new CountedListing({
    counts,
    prometheus: { in: async (namespaces) => (asked.push([...namespaces]), prometheus) },
    functionNamespace: 'fn',
  })
  const reply = await layer.handle(systemRequest(method, path), async () => inner)
  return { reply, asked, ownAsked: counts.asked }
}

async function listed(inner: unknown, prometheus?: ReadonlyMap<string, number>): Promise<unknown> {
  const { reply } = await list({ inner: jsonReply(200, inner), prometheus })
  return JSON.parse(await bodyOf(reply))
}

async function bodyOf(reply: Reply): Promise<string> {
  return Buffer.from(await reply.bytes(1e6)).toString()
}

function systemRequest(method: string, path: string): SystemRequest {
  const message = new IncomingMessage(new Socket())
  const response = new ServerResponse(message)
  const request = new GatewayRequest({ message, response, replayBodyBytes: 0, expectsContinue: false })
  return { request, method, path, params: {}, search: '', query: new URLSearchParams() }
}

describe('CountedListing', () => {
  it('puts Prometheus’ count in, and the gateway’s own where Prometheus has none', async () => {
    const functions = [
      { name: 'echo', namespace: 'fn', createdAt: created },
      { name: 'env', namespace: 'fn', createdAt: created },
    ]

    expect(await listed(functions, new Map([['env.fn', 3]]))).toEqual([
      { ...functions[0], invocationCount: 7 },
      { ...functions[1], invocationCount: 3 },
    ])
  })

  it('asks for no counts of its own while Prometheus has all', async () => {
    const inner = jsonReply(200, [{ name: 'env', namespace: 'fn' }])

    const { ownAsked } = await list({ inner, prometheus: new Map([['env.fn', 3]]) })

    expect(ownAsked).toBe(0)
  })

  it('asks for its own counts once, however many functions Prometheus does not know', async () => {
    const { ownAsked } = await list({ inner: jsonReply(200, [{ name: 'echo' }, { name: 'env' }]) })

    expect(ownAsked).toBe(1)
  })

  it('uses its own counts when Prometheus gives none', async () => {
    expect(await listed([{ name: 'echo', namespace: 'fn', createdAt: created }])).toMatchObject([
      { invocationCount: 7 },
    ])
  })

  it('replaces the provider’s own count, by 0 for a function that was never called', async () => {
    expect(await listed([{ name: 'idle', namespace: 'fn', invocationCount: 999, createdAt: created }])).toMatchObject([
      { invocationCount: 0 },
    ])
  })

  it('keeps unknown fields, and every field where it is', async () => {
    const text = `[{"zeta":{"deep":[1,null]},"name":"echo","invocationCount":1,"namespace":"fn","createdAt":"${created}","usage":{"cpu":0.5}}]`

    const { reply } = await list({ inner: new BufferReply(200, {}, text) })

    expect(await bodyOf(reply)).toBe(text.replace('"invocationCount":1', '"invocationCount":7'))
  })

  it.each([undefined, null, ''])('gives a function whose creation is %j the zero time', async (createdAt) => {
    expect(await listed([{ name: 'echo', createdAt }])).toMatchObject([{ createdAt: zeroTime }])
  })

  it('counts a function without a namespace under the default one', async () => {
    const { reply, asked } = await list({ inner: jsonReply(200, [{ name: 'echo' }]) })

    expect(asked).toEqual([['fn']])
    expect(JSON.parse(await bodyOf(reply))).toMatchObject([{ invocationCount: 7 }])
  })

  it.each(['[]', 'null'])('leaves %s as it is and asks nobody', async (text) => {
    const { reply, asked, ownAsked } = await list({ inner: new BufferReply(200, {}, text) })

    expect(await bodyOf(reply)).toBe(text)
    expect(asked).toEqual([])
    expect(ownAsked).toBe(0)
  })

  it('passes entries on that are no functions', async () => {
    expect(await listed([null, 3, 'x', { noName: true }])).toEqual([null, 3, 'x', { noName: true }])
  })

  it.each(['', '<html>', '[{"name":', '{"items":[]}'])('says as OpenFaaS does that %j is no list', async (text) => {
    const { reply } = await list({ inner: new BufferReply(200, {}, text) })

    expect(reply.status).toBe(500)
    expect(await bodyOf(reply)).toBe('Unable to parse list of functions from provider\n')
  })

  it('keeps the headers of the inner answer, with the new length', async () => {
    const inner = jsonReply(200, [{ name: 'echo' }], { 'X-Inner': '1' })

    const { reply } = await list({ inner })

    expect(headerValue(reply.headers, 'content-type')).toBe('application/json')
    expect(headerValue(reply.headers, 'x-inner')).toBe('1')
    expect(reply.headers.filter((name) => name.toLowerCase() === 'content-length')).toHaveLength(1)
    expect(headerValue(reply.headers, 'content-length')).toBe(String(Buffer.byteLength(await bodyOf(reply))))
  })

  it('reads a streamed answer, and frees it when it breaks off', async () => {
    let isFreed = false
    const body = async function* () {
      yield Buffer.from('[{"name":')
      throw new Error('connection lost')
    }
    const inner = new StreamReply(200, [], body(), () => (isFreed = true))

    await expect(list({ inner })).rejects.toMatchObject({ code: 'upstream_failed' })
    expect(isFreed).toBe(true)
  })

  it.each([
    { name: 'a provider’s failure', status: 503 },
    { name: 'another method', method: 'POST' },
    { name: 'another path', path: '/system/functions-of-mine' },
    { name: 'an encoded body', headers: { 'Content-Encoding': 'gzip' } },
  ])('passes the answer to $name on untouched', async ({ status = 200, headers = {}, ...setting }) => {
    const inner = new BufferReply(status, headers, 'whatever')

    const { reply } = await list({ inner, ...setting })

    expect(reply).toBe(inner)
  })
})
