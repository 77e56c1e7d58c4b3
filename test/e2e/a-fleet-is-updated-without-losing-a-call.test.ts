import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { call } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { SteadyCallers } from '../support/steady-callers.ts'

describe('a fleet behind a balancer', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  beforeAll(async () => {
    provider = await ScriptedProvider.start({ name: 'warm' })
    fleet = await startCluster(provider)
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
  })

  it('answers every call while its gateways are restarted one after the other', async () => {
    const callers = new SteadyCallers([`${fleet.url}/function/warm`], 6)

    await fleet.roll()
    const answered = await callers.stop()

    expect(Object.keys(answered)).toEqual(['200'])
    expect(answered[200]).toBeGreaterThan(100)
  })

  it('goes on when a gateway is killed: only its own calls are lost, and it comes back', async () => {
    const callers = new SteadyCallers([`${fleet.url}/function/warm`], 6)
    await eventually('some calls', () => callers.count > 50)

    await fleet.gateway(1).kill()
    await eventually('more calls', () => callers.count > 300)
    await fleet.gateway(1).start()
    const invocations = async (): Promise<boolean> =>
      (await fleet.gateway(1).metrics()).includes('function_name="warm"')
    await eventually('traffic at the one that came back', invocations)
    const answered = await callers.stop()

    const lost = Object.entries(answered).filter(([status]) => status !== '200')
    expect(lost.reduce((sum, [, count]) => sum + count, 0)).toBeLessThanOrEqual(6)
  })

  it('goes round a gateway that hangs', async () => {
    fleet.gateway(2).pause()
    const isAvoided = async (): Promise<boolean> => {
      const calls = Array.from({ length: 6 }, () => call(`${fleet.url}/function/warm`))
      const late = new Promise<false>((resolve) => setTimeout(() => resolve(false), 500))
      return Promise.race([Promise.all(calls).then((all) => all.every(({ status }) => status === 200)), late])
    }
    await eventually('the balancer to avoid it', isAvoided, 10_000)

    fleet.gateway(2).resume()
    expect((await call(`${fleet.gateway(2).url}/function/warm`)).status).toBe(200)
  })
})
