import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { call, callTogether, type Outcome, statuses } from '../support/callers.ts'
import { quickPluginOptions, startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

/** Long enough for every gateway to be asked before the next try. */
const longBackoff = JSON.parse(JSON.stringify(quickPluginOptions()).replaceAll('600ms', '30s')) as Record<
  string,
  unknown
>

function reasonOf({ body }: Outcome): string {
  return (JSON.parse(body) as { detail: string }).detail // problem+json, RFC 9457
}

describe('a fleet before a function that cannot start', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  beforeAll(async () => {
    provider = await ScriptedProvider.start({ name: 'broken', desired: 0 }, { name: 'mended', desired: 0 })
    provider.fail('scale', 'refuse-400')
    fleet = await startCluster(provider, { pluginOptions: longBackoff })
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  it('tries once, and every gateway says at once why, and when to come again', async () => {
    const first = await call(`${fleet.gateway(1).url}/function/broken`)
    const outcomes = (
      await Promise.all(fleet.gateways.map(({ url }) => callTogether(30, `${url}/function/broken`)))
    ).flat()

    expect(first.status).toBe(503)
    expect(statuses(outcomes)).toEqual({ 503: 90 })
    expect(provider.count('scale', 'broken')).toBe(1)
    for (const { headers } of outcomes) expect(Number(headers['retry-after'])).toBeGreaterThan(1)
    const reasons = new Set(outcomes.map(reasonOf))
    expect([...reasons]).toEqual([`"broken" could not be started: ${reasonOf(first)}`])
  })

  it('has all gateways serve it as soon as one of them sees it run', async () => {
    const calls = async (): Promise<Readonly<Record<number, number>>> =>
      statuses(await Promise.all(fleet.gateways.map(({ url }) => call(`${url}/function/mended`))))
    expect(await calls()).toEqual({ 503: 3 })

    provider.function('mended').becomeReady()
    const told = await call(`${fleet.gateway(2).url}/system/function-ready`, {
      method: 'POST',
      body: '{"name":"mended"}',
    })

    expect(told.status).toBeLessThan(300)
    await eventually('all to serve it', async () => (await calls())[200] === 3)
    expect(provider.count('scale', 'mended')).toBe(1)
  })
})
