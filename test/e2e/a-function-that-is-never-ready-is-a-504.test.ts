import { describe, expect, it } from 'vitest'
import { call, callTogether } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a function that is never ready', () => {
  guardAgainstLeaks()

  it('is a 504 that says how long it was waited for and what was seen', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '400ms' } })

    const answer = await call(`${gateway.url}/function/stuck`)

    expect(answer.status).toBe(504)
    expect(answer.tookMs).toBeGreaterThanOrEqual(395)
    expect(answer.tookMs).toBeLessThan(2_000)
    expect(answer.body).toMatch(/4\d\dms/)
    expect(answer.body).toContain('0 of 1 replicas ready')
    expect(answer.headers['x-call-id']).toBeDefined()
    expect(provider.count('invoke')).toBe(0)
  })

  it('gives each caller its own time', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '600ms' } })
    const url = `${gateway.url}/function/stuck`

    const first = call(url)
    await new Promise((resolve) => setTimeout(resolve, 300))
    const second = call(url)

    expect((await first).tookMs).toBeGreaterThanOrEqual(595)
    expect((await second).status).toBe((await first).status)
    expect((await second).tookMs).toBeGreaterThanOrEqual(595)
  })

  it('is waited for as long as its annotation says', async () => {
    const annotations = { 'com.pilotlight.hold-timeout': '250ms' }
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1, annotations })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '30s' } })

    const answers = await callTogether(3, `${gateway.url}/function/stuck`)

    for (const answer of answers) {
      expect(answer.status).toBe(504)
      expect(answer.tookMs).toBeLessThan(2_000)
    }
  })

  it('is let alone by the provider calls once nobody waits', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '200ms' } })
    await call(`${gateway.url}/function/stuck`)
    const seen = provider.count('status') + provider.count('scale')

    await new Promise((resolve) => setTimeout(resolve, 700))

    expect(provider.count('status') + provider.count('scale')).toBeLessThanOrEqual(seen + 1)
  })
})
