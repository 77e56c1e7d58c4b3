import { describe, expect, it } from 'vitest'
import { call, startCall } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { heldCalls, metricsPageWith, metricValue } from '../support/metrics-page.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('a caller that leaves while held', () => {
  guardAgainstLeaks()

  it('is not forwarded, and the wake goes on for the others', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider)
    const url = `${gateway.url}/function/cold`
    const leavers = Array.from({ length: 10 }, () => startCall(url))
    const stayer = call(url)
    await heldCalls(gateway, 11)

    for (const leaver of leavers) leaver.leave()
    await heldCalls(gateway, 1)
    provider.function('cold').becomeReady()

    expect((await stayer).status).toBe(200)
    expect(provider.count('invoke')).toBe(1)
    expect(provider.count('scale')).toBe(1)
  })

  it('as the last one stops the wake', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: -1 })
    await using gateway = await startGatewayBefore(provider)
    const leaver = startCall(`${gateway.url}/function/cold`)
    await eventually('the wake to poll', () => provider.count('scale') === 1 && provider.count('status') >= 3)

    leaver.leave()
    const abandoned = { function_name: 'cold', outcome: 'abandoned', role: 'leader' }
    await metricsPageWith(gateway, (page) => metricValue(page, 'pilotlight_wakes_total', abandoned) === 1)
    const polls = provider.count('status')
    const lists = provider.count('list')
    await eventually('the gateway to list functions three times', () => provider.count('list') >= lists + 3)

    expect(provider.count('status')).toBe(polls)
    expect(provider.count('invoke')).toBe(0)
  })

  it('is followed by one who finds the function woken or wakes it', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 300 })
    await using gateway = await startGatewayBefore(provider)
    const leaver = startCall(`${gateway.url}/function/cold`)
    await eventually('the scale call', () => provider.count('scale') === 1)
    leaver.leave()
    await leaver.outcome

    expect((await call(`${gateway.url}/function/cold`)).status).toBe(200)
    expect(provider.count('scale')).toBe(1)
  })
})
