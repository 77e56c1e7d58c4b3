import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { heldCalls } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a function that is never ready', () => {
  guardAgainstLeaks()

  it('is a 504 that says how long it was waited for and what was seen', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '400ms' } })

    const answer = await call(`${gateway.url}/function/stuck`)

    expect(answer.status).toBe(504)
    expect(answer.body).toMatch(/exceeded ([4-9]\d\dms|[\d.]+s) /)
    expect(answer.body).toContain('0 of 1 replicas ready')
    expect(answer.headers['x-call-id']).toBeDefined()
    expect(provider.count('invoke')).toBe(0)
  })

  it('gives each caller its own time', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '1s' } })
    const first = call(`${gateway.url}/function/stuck`)
    await heldCalls(gateway, 1)
    const lists = provider.count('list')
    await eventually('the gateway to list functions twice', () => provider.count('list') >= lists + 2)
    const second = call(`${gateway.url}/function/stuck`)
    let isSecondAnswered = false
    void second.then(() => (isSecondAnswered = true))

    expect((await first).status).toBe(504)

    expect(isSecondAnswered).toBe(false)
    expect((await second).status).toBe(504)
  })

  it('is waited for as long as its annotation says', async () => {
    const annotations = { 'com.pilotlight.hold-timeout': '250ms' }
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1, annotations })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '10m' } })

    expect(statuses(await callTogether(3, `${gateway.url}/function/stuck`))).toEqual({ 504: 3 })
  })

  it('costs no provider calls once nobody waits for it', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '200ms' } })
    await call(`${gateway.url}/function/stuck`)
    await heldCalls(gateway, 0)
    const calls = provider.count('status') + provider.count('scale')
    const lists = provider.count('list')

    await eventually('the gateway to list functions three times', () => provider.count('list') >= lists + 3)

    expect(provider.count('status') + provider.count('scale')).toBe(calls)
  })
})
