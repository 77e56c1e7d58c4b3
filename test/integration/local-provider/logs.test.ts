import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawConnection, requestBytes } from '../../support/raw-http.ts'
import { ProviderHarness } from './harness.ts'

guardAgainstLeaks('file')

let provider: ProviderHarness
beforeAll(async () => {
  provider = await ProviderHarness.start()
  const envVars = { prefix_logs: 'false' }
  await provider.deploy({ service: 'talking', envProcess: 'sed s/^/said:/ >&2', envVars })
  await provider.available('talking', 1)
})
afterAll(() => provider[Symbol.asyncDispose]())

async function say(text: string): Promise<void> {
  await (await provider.call('talking', { method: 'POST', body: `${text}\n` })).text()
  await eventually(`${text} in the log`, async () => (await provider.logs('talking')).includes(`said:${text}`))
}

function logRequest(query: string): string {
  const { authorization = '' } = provider.provider.endpoint
  return requestBytes('GET', `/system/logs?${query}`, [`Authorization: ${authorization}`])
}

describe('logs of a function', () => {
  it('are one JSON object per line, with the names that clients know', async () => {
    await say('one')

    const answer = await provider.system('GET', 'logs?name=talking&namespace=openfaas-fn')
    const [first] = (await answer.text()).trim().split('\n')

    expect(answer.headers.get('content-type')).toBe('application/x-ndjson')
    expect(JSON.parse(String(first))).toEqual({
      name: 'talking',
      namespace: 'openfaas-fn',
      instance: expect.stringMatching(/^talking-[0-9a-f]{8}$/),
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      text: expect.stringContaining('the function takes calls'),
    })
  })

  it('can be cut to the last ones, to an instant and to an instance', async () => {
    await say('two')
    const lines = await provider.logs('talking')

    const tail = (await (await provider.system('GET', 'logs?name=talking&tail=1')).text()).trim().split('\n')
    const later = await (await provider.system('GET', 'logs?name=talking&since=2999-01-01T00:00:00Z')).text()
    const other = await (await provider.system('GET', 'logs?name=talking&instance=another')).text()

    expect(tail).toHaveLength(1)
    expect(lines.length).toBeGreaterThan(2)
    expect(later + other).toBe('')
  })

  it('are followed as they are written, by a reader who may leave', async () => {
    const reader = await RawConnection.open(provider.url)
    await reader.send(logRequest('name=talking&follow=true&tail=1'))
    await reader.begun()

    await say('three')

    await reader.shows('said:three')
    await reader[Symbol.asyncDispose]()
    await say('four')
  })

  it('end for their followers when the function is deleted', async () => {
    await provider.deploy({ service: 'short-lived', envProcess: 'cat' })
    await using reader = await RawConnection.open(provider.url)
    await reader.send(logRequest('name=short-lived&follow=true'))
    await reader.begun()

    await provider.system('DELETE', 'functions', { functionName: 'short-lived' })

    expect((await reader.response()).complete).toBe(true)
  })

  it('end for their followers when the gateway drains', async () => {
    await using draining = await ProviderHarness.start()
    await draining.deploy({ service: 'any', envProcess: 'cat' })
    const answer = await draining.system('GET', 'logs?name=any&follow=true')

    await draining.provider.drain()

    expect(await answer.text()).toBe('')
  })

  it.each([
    ['name=nobody', 404],
    ['', 404],
    ['name=talking&tail=many', 422],
    ['name=talking&since=yesterday', 422],
  ])('are refused for "%s" with %i', async (query, status) => {
    expect((await provider.system('GET', `logs?${query}`)).status).toBe(status)
  })
})
