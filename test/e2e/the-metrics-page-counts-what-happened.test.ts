import { describe, expect, it } from 'vitest'
import { call, callTogether, startCall } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import type { GatewayProcess } from '../support/gateway-process.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

/** Value of the one series that has this name and these labels, in any order; undefined when there is none. */
function valueOf(page: string, name: string, labels: Readonly<Record<string, string>>): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`)
  const line = page.split('\n').find((one) => {
    const [series = ''] = one.split('} ', 1)
    return series.startsWith(`${name}{`) && wanted.every((part) => series.includes(part))
  })
  return line === undefined ? undefined : Number(line.split('} ')[1])
}

/** Calls are counted after their last byte, which a client may see first. */
function pageWith(gateway: GatewayProcess, isThere: (page: string) => boolean): Promise<string> {
  return eventually('the metrics page to show it', async () => {
    const page = await gateway.metrics()
    return isThere(page) && page
  })
}

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
    const page = await pageWith(gateway, (text) => text.includes('code="502"'))

    const total = (code: string): number | undefined =>
      valueOf(page, 'gateway_function_invocation_total', { ...own, code })
    expect([total('200'), total('404'), total('502')]).toEqual([7, 3, 1])
    expect(valueOf(page, 'gateway_function_invocation_started', own)).toBe(11)
    expect(valueOf(page, 'gateway_functions_seconds_count', { ...own, code: '200' })).toBe(7)
    expect(valueOf(page, 'gateway_service_count', own)).toBe(2)
  })

  it('counts no 502 for a client that leaves', async () => {
    await using provider = await ScriptedProvider.start({ name: 'slow' })
    provider.function('slow').handler = () => {}
    await using gateway = await startGatewayBefore(provider)
    const caller = startCall(`${gateway.url}/function/slow`)
    await eventually('the call', () => provider.count('invoke') === 1)

    caller.leave()
    await caller.outcome

    const page = await pageWith(gateway, (text) => text.includes('gateway_function_invocation_total{'))
    expect(page).not.toContain('code="502"')
    expect(page).not.toContain('code="200"')
  })

  it('tells holding from running: a cold call is short in the histogram of calls', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 700 })
    await using gateway = await startGatewayBefore(provider)
    await call(`${gateway.url}/function/cold`)

    const page = await pageWith(gateway, (text) => text.includes('gateway_functions_seconds_sum'))

    expect(valueOf(page, 'gateway_functions_seconds_sum', { function_name: 'cold', code: '200' })).toBeLessThan(0.5)
  })
})
