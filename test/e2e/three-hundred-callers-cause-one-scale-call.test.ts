import { describe, expect, it } from 'vitest'
import { callTogether, statuses } from '../support/callers.ts'
import { startGatewayBefore } from '../support/gateway-before.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('300 callers of a function at zero', () => {
  guardAgainstLeaks()

  it.each([0, 50, 400])('are all answered after one scale call (ready after %i ms)', async (readyAfterMs) => {
    await using provider = await ScriptedProvider.start({ name: 'cold', desired: 0, readyAfterMs })
    await using gateway = await startGatewayBefore(provider)

    const outcomes = await callTogether(300, `${gateway.url}/function/cold`)

    expect(statuses(outcomes)).toEqual({ 200: 300 })
    expect(provider.count('scale')).toBe(1)
    expect(provider.count('invoke')).toBe(300)
    // One poller, whose pauses are 5 ms at first, less a tenth at random, and longer later.
    expect(provider.count('status')).toBeLessThan(20 + readyAfterMs / 4.5)
  })

  it('spread over ten functions cause one scale call each', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `cold-${i}`)
    const scripts = names.map((name) => ({ name, desired: 0, readyAfterMs: 100 }))
    await using provider = await ScriptedProvider.start(...scripts)
    await using gateway = await startGatewayBefore(provider)

    const outcomes = (
      await Promise.all(names.map((name) => callTogether(30, `${gateway.url}/function/${name}`)))
    ).flat()

    expect(statuses(outcomes)).toEqual({ 200: 300 })
    for (const name of names) expect(provider.count('scale', name)).toBe(1)
  })
})
