import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { call, callTogether, type Outcome, statuses } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'

describe('a fleet that never asks whether a function is ready', () => {
  guardAgainstLeaks('file')
  let fleet: Cluster
  beforeAll(async () => {
    const pluginOptions = {
      'scale-from-zero': { pollFirst: '25s', pollMax: '25s' },
      'provider-client': { feedInterval: '25s' },
    }
    const env = { function_namespace: 'openfaas-fn', PILOTLIGHT_HOLD_TIMEOUT: '10s' }
    fleet = await startCluster(undefined, { basicAuth: true, pluginOptions, env })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  /** Calls at every gateway at once. */
  async function callAll(name: string): Promise<Outcome[]> {
    const calls = fleet.gateways
      .filter(({ isRunning }) => isRunning)
      .map(({ url }) => callTogether(5, `${url}/function/${name}`))
    return (await Promise.all(calls)).flat()
  }

  it('answers the callers of all gateways once the provider announces it to one of them', async () => {
    expect(statuses(await callAll('hello'))).toEqual({ 200: 15 })
  })

  it('does so after the gateway that is told first has died', async () => {
    await fleet.gateway(1).kill()

    expect(statuses(await callAll('slow-start'))).toEqual({ 200: 10 })
    await fleet.gateway(1).start()
  })

  it('does so again after the function was scaled to zero', async () => {
    const { authorization = '' } = fleet
    const path = 'system/scale-function/hello'
    const body = JSON.stringify({ serviceName: 'hello', replicas: 0 })
    const scaled = await call(`${fleet.url}/${path}`, { method: 'POST', headers: { authorization }, body })

    expect(scaled.status).toBe(202)
    expect(statuses(await callAll('hello'))).toEqual({ 200: 15 })
  })
})
