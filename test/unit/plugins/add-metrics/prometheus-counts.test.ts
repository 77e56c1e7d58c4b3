import { describe, expect, it } from 'vitest'
import type { HttpClient, HttpClientRequest, HttpClientResponse } from '#core'
import { PrometheusCounts } from '../../../../plugins/add-metrics/prometheus-counts.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'

/** Answers every call as the test says at that moment. */
class ScriptedHttp implements HttpClient {
  readonly calls: HttpClientRequest[] = []
  answer: () => Promise<string> = async () => vector([])

  async request(call: HttpClientRequest): Promise<HttpClientResponse> {
    this.calls.push(call)
    const text = this.answer()
    return {
      status: 200,
      rawHeaders: [],
      header: () => undefined,
      body: (async function* () {})(),
      text: () => text,
      discard: () => {},
    }
  }
}

function vector(values: readonly (readonly [string, string])[]): string {
  const result = values.map(([name, value]) => ({ metric: { function_name: name }, value: [1_700_000_000.123, value] }))
  return JSON.stringify({ status: 'success', data: { resultType: 'vector', result } })
}

function setUp({ url = 'http://prometheus:9090/', pauseMs = 5_000 } = {}) {
  const [clock, log, http] = [new FakeClock(), new FakeLogger(), new ScriptedHttp()]
  const options = { url: new URL(url), timeoutMs: 2_000, pauseMs, userAgent: 'gateway/1 (Prometheus query)' }
  const counts = new PrometheusCounts({ http, clock, log, random: () => 0, options })
  const fail = () => void (http.answer = () => Promise.reject(new Error('refused')))
  return { clock, log, http, counts, fail }
}

describe('PrometheusCounts', () => {
  it('gives the count of each function', async () => {
    const { http, counts } = setUp()
    http.answer = async () =>
      vector([
        ['a.fn', '12'],
        ['b.fn', '1.5e+06'],
      ])

    expect(await counts.in(['fn'])).toEqual(
      new Map([
        ['a.fn', 12],
        ['b.fn', 1_500_000],
      ]),
    )
  })

  it.each(['NaN', '+Inf', '-1', 'many'])('leaves a function out whose value is %s', async (value) => {
    const { http, counts } = setUp()
    http.answer = async () =>
      vector([
        ['a.fn', value],
        ['b.fn', '1'],
      ])

    expect(await counts.in(['fn'])).toEqual(new Map([['b.fn', 1]]))
  })

  it('names itself, keeps to its time-out and stays below the path of its URL', async () => {
    const { http, counts } = setUp({ url: 'http://host:9/prom/' })

    await counts.in(['fn'])

    expect(http.calls[0]?.url.href).toMatch(/^http:\/\/host:9\/prom\/api\/v1\/query\?query=sum\+by/)
    expect(http.calls[0]).toMatchObject({
      method: 'GET',
      timeoutMs: 2_000,
      headers: { 'user-agent': 'gateway/1 (Prometheus query)' },
    })
  })

  it('turns a user and a password in its URL into basic auth', async () => {
    const { http, counts } = setUp({ url: 'http://me:p%40ss@host:9' })

    await counts.in(['fn'])

    expect(http.calls[0]?.url.username).toBe('')
    expect(http.calls[0]?.headers?.['authorization']).toBe(`Basic ${Buffer.from('me:p@ss').toString('base64')}`)
  })

  it('asks once for callers of the same namespaces at the same time', async () => {
    const { http, counts } = setUp()

    await Promise.all([counts.in(['fn']), counts.in(['fn']), counts.in(['other'])])

    expect(http.calls).toHaveLength(2)
  })

  it('asks nothing for a pause after a failure, and longer after each further one', async () => {
    const { http, counts, clock, fail } = setUp()
    fail()

    const first = await counts.in(['fn'])
    await clock.advance(4_999)
    await counts.in(['fn'])
    const callsInPause = http.calls.length
    await clock.advance(1)
    await counts.in(['fn'])
    await clock.advance(5_000)
    await counts.in(['fn'])

    expect(first).toBeUndefined()
    expect(callsInPause).toBe(1)
    expect(http.calls).toHaveLength(2)
  })

  it('never pauses for longer than a minute', async () => {
    const { http, counts, clock, fail } = setUp()
    fail()

    for (let i = 0; i < 10; i += 1) {
      await counts.in(['fn'])
      await clock.advance(60_000)
    }

    expect(http.calls).toHaveLength(10)
  })

  it('says once that Prometheus fails, and once that it is back', async () => {
    const { log, http, counts, clock, fail } = setUp()
    fail()

    for (let i = 0; i < 3; i += 1) {
      await counts.in(['fn'])
      await clock.advance(60_000)
    }
    http.answer = async () => vector([])
    await counts.in(['fn'])
    await counts.in(['fn'])

    expect(log.lines.map(({ level }) => level)).toEqual(['warn', 'info'])
  })
})
