import { describe, expect, it } from 'vitest'
import { call, callTogether, statuses, type Outcome } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { type Fault, internalText } from '../support/provider-faults.ts'
import { managementKinds, ScriptedProvider } from '../support/scripted-provider.ts'

const faults: readonly Fault[] = ['hang', 'reset', 'reset-midway', 'error-500', 'html', 'half-json']

function expectHonestRefusal(outcome: Outcome, provider: ScriptedProvider): void {
  expect(outcome.status).toBe(503)
  expect(Number(outcome.headers['retry-after'])).toBeGreaterThanOrEqual(1)
  const problem = JSON.parse(outcome.body) as { detail: string; code: string } // a problem document
  expect(problem.detail).not.toBe('')
  expect(problem.code).not.toBe('')
  expect(outcome.body).not.toContain(new URL(provider.url).port)
  expect(outcome.body).not.toContain('127.0.0.1')
  expect(outcome.body).not.toContain(internalText)
}

async function servedAgain(url: string): Promise<void> {
  await eventually('the function to be served', async () => (await call(url)).status === 200, 10_000)
}

describe('a provider that fails during a wake', () => {
  guardAgainstLeaks()

  it.each(faults)('by "%s" is a 503 that says why and nothing of the inside', async (fault) => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await using gateway = await startGatewayBefore(provider)
    provider.fail(managementKinds, fault)

    const outcomes = await callTogether(5, `${gateway.url}/function/cold`)

    for (const outcome of outcomes) expectHonestRefusal(outcome, provider)
  })

  it('by refusing connections is a 503, and the function is woken once it is back', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await using gateway = await startGatewayBefore(provider)
    await provider.refuse()

    expectHonestRefusal(await call(`${gateway.url}/function/cold`), provider)
    expectHonestRefusal(await call(`${gateway.url}/function/cold`), provider)
    await provider.accept()

    await servedAgain(`${gateway.url}/function/cold`)
  })

  it('for a shorter time than its patience is not noticed by those who wait', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs: 50 })
    await using gateway = await startGatewayBefore(provider)
    const failing = provider.fail(managementKinds, 'error-500')
    const callers = callTogether(20, `${gateway.url}/function/cold`)
    await eventually('two failed calls', () => provider.count('status') + provider.count('scale') >= 2)

    failing[Symbol.dispose]()

    expect(statuses(await callers)).toEqual({ 200: 20 })
  })

  it('is there from the start: the gateway starts, and wakes functions once it is back', async () => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0 })
    await provider.refuse()
    await using gateway = await startGatewayBefore(provider)
    expectHonestRefusal(await call(`${gateway.url}/function/cold`), provider)
    await provider.accept()

    await servedAgain(`${gateway.url}/function/cold`)
  })
})
