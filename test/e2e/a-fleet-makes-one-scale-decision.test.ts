import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { callTogether, statuses } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('300 callers of a function at zero, before three gateways', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  beforeAll(async () => {
    provider = await ScriptedProvider.start()
    fleet = await startCluster(provider)
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  it('are all answered after one scale call, however fast it starts, and every gateway answers some', async () => {
    const scripts = [0, 50, 400].map((readyAfterMs) => ({ name: `cold-${readyAfterMs}`, desired: 0, readyAfterMs }))
    for (const script of scripts) provider.add(script)

    for (const { name } of scripts) {
      const outcomes = await callTogether(300, `${fleet.url}/function/${name}`)

      expect(statuses(outcomes)).toEqual({ 200: 300 })
      expect([name, provider.count('scale', name), provider.count('invoke', name)]).toEqual([name, 1, 300])
    }
    const pages = await Promise.all(fleet.gateways.map((one) => one.metrics()))
    for (const page of pages)
      expect(page).toContain('gateway_function_invocation_total{function_name="cold-400",code="200"')
    const scales = provider.calls.filter(({ kind }) => kind === 'scale')
    expect(scales.map(({ headers }) => Number(headers['x-pilotlight-fence']))).toEqual(
      scales.map(() => expect.closeTo(Date.now() * 1000, -9)),
    )
  })

  it('spread over ten functions cause one scale call each', async () => {
    const names = Array.from({ length: 10 }, (_, i) => `one-of-ten-${i}`)
    for (const name of names) provider.add({ name, desired: 0, readyAfterMs: 100 })

    const outcomes = await Promise.all(names.map((name) => callTogether(30, `${fleet.url}/function/${name}`)))

    expect(statuses(outcomes.flat())).toEqual({ 200: 300 })
    expect(names.map((name) => provider.count('scale', name))).toEqual(names.map(() => 1))
  })
})
