import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { metricValue } from '../../support/metrics-page.ts'
import { rawRequest, requestBytes } from '../../support/raw-http.ts'
import { json } from '../../unit/plugins/provider-client/handler-provider.ts'
import { OneFunction } from './one-function.ts'
import { SystemApi } from './system-api.ts'

guardAgainstLeaks('file')

let api: SystemApi

beforeAll(async () => {
  api = await SystemApi.start()
})

afterAll(() => api[Symbol.asyncDispose]())

function announce(body: unknown): Promise<Response> {
  return api.call('POST', '/system/function-ready', { body: JSON.stringify(body) })
}

async function counted(outcome: string): Promise<number> {
  return metricValue(await api.metrics(), 'pilotlight_readiness_announcements_total', { outcome }) ?? Number.NaN
}

describe('POST /system/function-ready', () => {
  it('releases a held call at once, whatever the provider still says', async () => {
    const provider = Object.assign(new OneFunction(), { scaleStatus: 202 })
    let isStarted = false
    api.serve((request, response) => {
      // Says that none is available for as long as anybody asks.
      if (request.target.startsWith('/system/function/')) {
        json({ name: 'echo', namespace: 'fn', replicas: provider.replicas, availableReplicas: 0 })(request, response)
      } else if (request.target.startsWith('/function/') && isStarted) response.end('echo')
      else provider.answer(request, response)
    })
    const before = await counted('accepted')
    const held = api.call('GET', '/function/echo')
    await eventually('the function to be scaled', () => provider.replicas === 1)

    isStarted = true
    const answer = await announce({ name: 'echo', namespace: 'fn', available: 1 })

    expect([answer.status, await answer.text()]).toEqual([202, ''])
    expect(await (await held).text()).toBe('echo')
    expect(await counted('accepted')).toBe(before + 1)
  })

  it('takes over a function that nobody called yet, after asking the provider once', async () => {
    api.serve(({ target }, response) => {
      if (target.startsWith('/function/')) response.end('new')
      else response.end('{"name":"new","namespace":"fn","replicas":1}')
    })

    expect((await announce({ name: 'new', spare: true })).status).toBe(202)
    expect((await announce({ name: 'new' })).status).toBe(202)
    expect(await (await api.call('GET', '/function/new')).text()).toBe('new')

    expect(api.seen.map(({ target }) => target.split('?', 1)[0])).toEqual(['/system/function/new', '/function/new'])
  })

  it('ends the failure of a function', async () => {
    const provider = Object.assign(new OneFunction(), { scaleStatus: 400 })
    api.serve(provider.answer)
    await api.call('PUT', '/system/functions', { body: '{"service":"echo"}' })
    expect((await api.call('GET', '/function/echo')).status).toBe(503)

    provider.replicas = 1
    expect((await announce({ name: 'echo' })).status).toBe(202)

    expect((await api.call('GET', '/function/echo')).status).toBe(200)
  })

  it('answers 404 for a name that the provider does not know, which becomes no series and takes no memory', async () => {
    api.serve((_request, response) => response.writeHead(404).end())
    const before = await counted('unknown')

    const answers = await Promise.all([0, 1, 2].map((i) => announce({ name: `made-up-${i}` })))

    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(await answers[0]?.json()).toMatchObject({ code: 'function_not_found' })
    expect(await api.metrics()).not.toContain('made-up')
    expect(await counted('unknown')).toBe(before + 3)
  })

  it.each([
    [
      'resets',
      (_request: unknown, response: { socket: { resetAndDestroy(): void } | null }) =>
        response.socket?.resetAndDestroy(),
    ],
    ['hangs', () => {}],
    ['answers HTML', json('<html>')],
  ])('answers 503 for an unknown name when the provider %s', async (_case, answer) => {
    api.serve(answer)
    const before = await counted('failed')

    const refused = await announce({ name: 'who' })

    expect([refused.status, refused.headers.get('retry-after')]).toEqual([503, '1'])
    expect(await counted('failed')).toBe(before + 1)
  })

  it('refuses names beyond those that it asks the provider about at a time', async () => {
    const waiting: (() => void)[] = []
    api.serve((_request, response) => void waiting.push(() => response.writeHead(404).end()))
    const asked = Array.from({ length: 16 }, (_, i) => announce({ name: `f${i}` }))
    await eventually('the provider to be asked', () => waiting.length === 16)

    expect((await announce({ name: 'more' })).status).toBe(503)

    for (const answer of waiting) answer()
    expect((await Promise.all(asked)).map(({ status }) => status)).toEqual(Array.from({ length: 16 }, () => 404))
  })

  it.each(['', '{"name":', '[]', '{}', '{"name":"a/b"}', '{"name":"echo","available":0}'])(
    'refuses the body %j with a reason, and asks nobody',
    async (body) => {
      api.serve(json({}))
      const before = await counted('invalid')

      const answer = await api.call('POST', '/system/function-ready', { body })

      expect(answer.status).toBe(400)
      expect(await answer.json()).toMatchObject({ code: 'request_invalid', detail: expect.stringMatching(/\w+/) })
      expect(api.seen).toEqual([])
      expect(await counted('invalid')).toBe(before + 1)
    },
  )

  it.each([
    ['by its length', ['Content-Length: 4097'], 'x'.repeat(4097)],
    ['while it comes', ['Transfer-Encoding: chunked'], `1001\r\n${'x'.repeat(4097)}\r\n0\r\n\r\n`],
  ])('refuses a body of more than 4 KiB, seen %s', async (_case, fields, body) => {
    api.serve(json({}))
    const head = requestBytes('POST', '/system/function-ready', [...fields, 'Connection: close'])

    const answer = await rawRequest(api.url, head + body, 'POST')

    expect(answer.status).toBe(413)
    expect(api.seen).toEqual([])
  })

  it('knows no other method', async () => {
    expect((await api.call('GET', '/system/function-ready')).status).toBe(405)
  })

  it('shows every outcome from the start', async () => {
    await using fresh = await SystemApi.start()
    const page = await fresh.metrics()

    const values = ['accepted', 'unknown', 'invalid', 'failed'].map((outcome) =>
      metricValue(page, 'pilotlight_readiness_announcements_total', { outcome }),
    )

    expect(values).toEqual([0, 0, 0, 0])
  })
})

describe('pilotlight_feed_leader', () => {
  it('is 1 in a gateway that is alone', async () => {
    expect(metricValue(await api.metrics(), 'pilotlight_feed_leader')).toBe(1)
  })
})
