import { describe, expect, it } from 'vitest'
import { call, callTogether, startCall } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricsPageWith, metricValue } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('the metrics page', () => {
  guardAgainstLeaks()

  it('counts calls by function and code under the names that OpenFaaS uses', async () => {
    await using provider = await ScriptedProvider.start({ name: 'echo', namespace: 'fn', desired: 2 })
    provider.defaultNamespace = 'fn'
    const echo = provider.function('echo', 'fn')
    await using gateway = await startGatewayBefore(provider, { env: { function_namespace: 'fn' } })
    await callTogether(5, `${gateway.url}/function/echo`)
    await callTogether(2, `${gateway.url}/function/echo.fn`)
    echo.handler = (_request, response) => response.writeHead(404).end()
    await callTogether(3, `${gateway.url}/function/echo`)
    echo.handler = (request) => request.socket.destroy()
    await call(`${gateway.url}/function/echo`, { method: 'POST', body: 'x' })

    const own = { function_name: 'echo.fn' }
    const page = await metricsPageWith(gateway, (text) => text.includes('code="502"'))

    const total = (code: string): number | undefined =>
      metricValue(page, 'gateway_function_invocation_total', { ...own, code })
    expect([total('200'), total('404'), total('502')]).toEqual([7, 3, 1])
    expect(metricValue(page, 'gateway_function_invocation_started', own)).toBe(11)
    expect(metricValue(page, 'gateway_functions_seconds_count', { ...own, code: '200' })).toBe(7)
    expect(metricValue(page, 'gateway_service_count', own)).toBe(2)
  })

  it('counts no 502 for a client that leaves', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    provider.function('slow').handler = () => {}
    await using gateway = await startGatewayBefore(provider)
    const caller = startCall(`${gateway.url}/function/slow`)
    await eventually('the call', () => provider.count('invoke') === 1)

    caller.leave()
    await caller.outcome

    const page = await metricsPageWith(gateway, (text) => text.includes('gateway_function_invocation_total{'))
    expect(page).not.toContain('code="502"')
    expect(page).not.toContain('code="200"')
  })

  it('keeps calls that were never forwarded out of the series that OpenFaaS rules read', async () => {
    await using provider = await ScriptedProvider.start({ name: 'stuck', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider, { env: { PILOTLIGHT_HOLD_TIMEOUT: '200ms' } })
    expect((await call(`${gateway.url}/function/stuck`)).status).toBe(504)

    const own = { function_name: 'stuck' }
    const page = await metricsPageWith(
      gateway,
      (text) => metricValue(text, 'pilotlight_wakes_total', own) !== undefined,
    )

    expect(metricValue(page, 'gateway_function_invocation_total', own)).toBeUndefined()
    expect(metricValue(page, 'gateway_function_invocation_started', own)).toBeUndefined()
    expect(metricValue(page, 'gateway_functions_seconds_count', own)).toBeUndefined()
    expect(metricValue(page, 'pilotlight_hold_seconds_count', { ...own, outcome: 'timeout' })).toBe(1)
  })
})
