import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

const megabyte = 1024 * 1024

describe('10,000 callers of a function that never starts', () => {
  guardAgainstLeaks()

  it('take bounded memory: some are held, the others refused at once', async () => {
    await using provider = await ScriptedProvider.start(
      { name: 'stuck', desired: 0, readyAfterMs: -1 },
      { name: 'warm' },
    )
    const config = 'pluginOptions: { scale-from-zero: { maxHeldPerFunction: 500, maxHeldTotal: 800 } }'
    await using gateway = await startGatewayBefore(provider, { config, env: { PILOTLIGHT_HOLD_TIMEOUT: '5s' } })
    await call(`${gateway.url}/function/warm`)
    const before = gateway.residentBytes()

    const outcomes = await callTogether(10_000, `${gateway.url}/function/stuck`)

    const counts = statuses(outcomes)
    expect(counts[504] ?? 0).toBeLessThanOrEqual(510)
    expect(counts[503]).toBeGreaterThanOrEqual(9_490)
    expect((counts[503] ?? 0) + (counts[504] ?? 0)).toBe(10_000)
    expect(gateway.residentBytes() - before).toBeLessThan(300 * megabyte)
    expect(provider.count('scale')).toBeLessThanOrEqual(3)

    const refused = outcomes.find(({ status }) => status === 503)
    expect(Number(refused?.headers['retry-after'])).toBeGreaterThanOrEqual(1)
    expect((await call(`${gateway.url}/function/warm`)).status).toBe(200)
  })

  it('do not keep others from theirs: each function has its own share', async () => {
    await using provider = await ScriptedProvider.start(
      { name: 'stuck', desired: 0, readyAfterMs: -1 },
      { name: 'cold', desired: 0, readyAfterMs: 100 },
    )
    const config = 'pluginOptions: { scale-from-zero: { maxHeldPerFunction: 50, maxHeldTotal: 80 } }'
    await using gateway = await startGatewayBefore(provider, { config, env: { PILOTLIGHT_HOLD_TIMEOUT: '1500ms' } })
    const crowd = callTogether(200, `${gateway.url}/function/stuck`)

    const outcomes = await callTogether(20, `${gateway.url}/function/cold`)

    expect(statuses(outcomes)).toEqual({ 200: 20 })
    const refused = (await crowd).filter(({ status }) => status === 503)
    expect(refused.length).toBe(150)
  })
})
