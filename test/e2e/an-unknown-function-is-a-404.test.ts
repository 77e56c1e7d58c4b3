import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { rawRequest, requestBytes } from '../support/raw-http.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const hostileNames = [
  '..',
  '%2e%2e',
  '.',
  '%00',
  'a%00b',
  '..%2f..%2fsystem%2ffunctions',
  'a%2fb',
  '%',
  '%zz',
  'a;b',
  'a%20b',
  'x'.repeat(300),
  '.ns',
  '%F0%9F%92%A9',
]

describe('an unknown function', () => {
  guardAgainstLeaks()

  it('is a 404 that is remembered briefly', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider)

    const outcomes = await callTogether(50, `${gateway.url}/function/nosuch`)
    const again = await callTogether(50, `${gateway.url}/function/nosuch`)

    expect(statuses([...outcomes, ...again])).toEqual({ 404: 100 })
    expect(provider.count('status', 'nosuch')).toBeLessThanOrEqual(2)
    expect(provider.count('scale')).toBe(0)
    expect(provider.count('invoke')).toBe(0)
  })

  it('is found once it is deployed', async () => {
    await using provider = await ScriptedProvider.start()
    await using gateway = await startGatewayBefore(provider)
    expect((await call(`${gateway.url}/function/late`)).status).toBe(404)

    provider.add({ name: 'late' })

    await eventually('the new function', async () => (await call(`${gateway.url}/function/late`)).status === 200)
  })

  it('makes no metric series, whatever its name', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider)
    await call(`${gateway.url}/function/echo`)
    for (let i = 0; i < 30; i += 1) await call(`${gateway.url}/function/nosuch-${i}`)

    const page = await eventually('the known function on the page', async () => {
      const text = await gateway.metrics()
      return text.includes('function_name="echo"') && text
    })

    expect(page).not.toContain('nosuch')
  })

  it('is not made by spelling a known name another way', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider)

    const answer = await rawRequest(gateway.url, requestBytes('GET', '/function/ec%68o', ['Connection: close']))

    expect(answer.status).toBe(200)
    expect(await gateway.metrics()).toMatch(
      /^gateway_function_invocation_total\{(?=.*function_name="echo").*code="200".*\} 1$/m,
    )
    expect(await gateway.metrics()).not.toContain('%68')
  })

  it('of a hostile name never reaches another route of the provider', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo' })
    await using gateway = await startGatewayBefore(provider)

    for (const name of hostileNames) {
      const answer = await rawRequest(gateway.url, requestBytes('GET', `/function/${name}`, ['Connection: close']))
      expect([400, 404], `status of ${name}`).toContain(answer.status)
    }

    const strange = provider.calls.filter(({ kind, target }) => {
      return kind !== 'list' && kind !== 'namespaces' && !/^\/system\/function\/[-\w.%]+\?/.test(target)
    })
    expect(strange).toEqual([])
    expect(await gateway.metrics()).not.toContain('xxxxxxxxxx')
  })
})
