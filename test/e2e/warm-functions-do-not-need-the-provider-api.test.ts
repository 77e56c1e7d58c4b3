import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import type { Fault } from '../support/provider-faults.ts'
import { managementKinds, ScriptedProvider } from '../support/scripted-provider.ts'

const faults: readonly Fault[] = ['hang', 'reset', 'reset-midway', 'error-500', 'html', 'half-json']

describe('a warm function', () => {
  guardAgainstLeaks()

  it('costs no status and no scale call, however often it is called', async () => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider, { config: '' })
    await call(`${gateway.url}/function/warm`)
    const before = provider.calls.filter(({ kind }) => kind !== 'invoke').length

    const outcomes = await callTogether(300, `${gateway.url}/function/warm`)

    expect(statuses(outcomes)).toEqual({ 200: 300 })
    expect(provider.count('invoke')).toBe(301)
    expect(provider.count('status') + provider.count('scale')).toBe(0)
    expect(provider.calls.filter(({ kind }) => kind !== 'invoke').length - before).toBeLessThanOrEqual(2)
  })

  it.each(faults)('is served while the provider API answers with "%s"', async (fault) => {
    await using provider = await ScriptedProvider.start({ name: 'warm' })
    await using gateway = await startGatewayBefore(provider)
    await call(`${gateway.url}/function/warm`)
    provider.fail(managementKinds, fault)
    const lists = provider.count('list') + provider.count('namespaces')
    await eventually('two failed listings', () => provider.count('list') + provider.count('namespaces') >= lists + 2)

    const outcomes = await callTogether(50, `${gateway.url}/function/warm`)

    expect(statuses(outcomes)).toEqual({ 200: 50 })
  })
})
