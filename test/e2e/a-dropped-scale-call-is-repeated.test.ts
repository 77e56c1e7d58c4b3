import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import type { Fault } from '../support/provider-faults.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const dropped: readonly Fault[] = ['reset', 'reset-midway', 'error-500', 'hang', 'ignore']

describe('a scale call', () => {
  guardAgainstLeaks()

  it.each(dropped)('that is met with "%s" is repeated, and nobody is refused', async (fault) => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 20 })
    await using gateway = await startGatewayBefore(provider)
    provider.fail('scale', fault, 1)

    const outcomes = await callTogether(20, `${gateway.url}/function/cold`)

    expect(statuses(outcomes)).toEqual({ 200: 20 })
    expect(provider.count('scale')).toBe(2)
  })

  it('that was carried out although its answer was lost is not fatal', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await using gateway = await startGatewayBefore(provider)
    provider.fail('scale', 'reset', 1)
    const caller = call(`${gateway.url}/function/cold`)
    await eventually('the scale call', () => provider.count('scale') === 1)

    provider.function('cold').becomeReady()

    expect((await caller).status).toBe(200)
  })

  it('is followed by status calls that may fail once without harm', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 100 })
    await using gateway = await startGatewayBefore(provider)
    for (const fault of ['reset', 'html', 'half-json', 'error-500'] as const) provider.fail('status', fault, 1)

    expect((await call(`${gateway.url}/function/cold`)).status).toBe(200)
    expect(provider.count('scale')).toBe(1)
  })
})
