import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { quickOptions, startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const longBackoff = quickOptions.replaceAll('600ms', '30s')

describe('a function that cannot start', () => {
  guardAgainstLeaks()

  it('is a 503 with the reason and Retry-After', async () => {
    await using provider = await ScriptedProvider.start({ name: 'broken', desired: 0 })
    await using gateway = await startGatewayBefore(provider)
    provider.fail('scale', 'refuse-400')

    const answer = await call(`${gateway.url}/function/broken`)

    expect(answer.status).toBe(503)
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect(answer.body).toContain('broken')
  })

  it('refuses later callers at once, without asking the provider again', async () => {
    await using provider = await ScriptedProvider.start({ name: 'broken', desired: 0 })
    await using gateway = await startGatewayBefore(provider, { config: longBackoff })
    provider.fail('scale', 'refuse-400')
    await call(`${gateway.url}/function/broken`)
    const asked = provider.count('status') + provider.count('scale')

    const outcomes = await callTogether(100, `${gateway.url}/function/broken`)

    expect(statuses(outcomes)).toEqual({ 503: 100 })
    expect(provider.count('status') + provider.count('scale')).toBe(asked)
    for (const { headers } of outcomes) expect(Number(headers['retry-after'])).toBeGreaterThan(1)
  })

  it('is tried by one caller at a time after the pause', async () => {
    await using provider = await ScriptedProvider.start({ name: 'broken', desired: 0 })
    const config = quickOptions.replace('failureBackoffMax: 600ms', 'failureBackoffMax: 30s')
    await using gateway = await startGatewayBefore(provider, { config })
    provider.fail('scale', 'refuse-400')
    await call(`${gateway.url}/function/broken`)
    expect(provider.count('scale')).toBe(1)

    const outcomes = await eventually('another try', async () => {
      const burst = await callTogether(50, `${gateway.url}/function/broken`)
      return provider.count('scale') > 1 && burst
    })

    expect(statuses(outcomes)).toEqual({ 503: 50 })
    expect(provider.count('scale')).toBe(2)
  })

  it('is served as soon as somebody starts it', async () => {
    await using provider = await ScriptedProvider.start({ name: 'broken', desired: 0 })
    await using gateway = await startGatewayBefore(provider, { config: longBackoff })
    provider.fail('scale', 'refuse-400')
    expect((await call(`${gateway.url}/function/broken`)).status).toBe(503)

    provider.function('broken').becomeReady()

    await eventually(
      'the function to be served',
      async () => (await call(`${gateway.url}/function/broken`)).status === 200,
    )
  })
})
