import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { call, type Outcome } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'

const sleeping = { 'com.openfaas.scale.zero': 'true', 'com.openfaas.scale.min': '1' }

describe('a function that is managed through one gateway of a fleet', () => {
  guardAgainstLeaks('file')
  let fleet: Cluster
  beforeAll(async () => {
    // Seconds until a gateway would learn it from the provider by itself: what the others know at once, they were told.
    const slow = { 'provider-client': { feedInterval: '30s' }, 'scale-from-zero': { absentTtl: '20s' } }
    fleet = await startCluster(undefined, { pluginOptions: slow, env: { function_namespace: 'openfaas-fn' } })
  })
  afterAll(() => fleet[Symbol.asyncDispose]())

  function manage(gateway: number, method: string, path: string, body: object): Promise<Outcome> {
    const text = JSON.stringify(body)
    const headers = { 'content-length': String(text.length) } // node sends none with DELETE by itself
    return call(`${fleet.gateway(gateway).url}/system/${path}`, { method, headers, body: text })
  }

  function callsOf(name: string): Promise<number[]> {
    const calls = fleet.gateways.map(({ url }) => call(`${url}/function/${name}`, { method: 'POST', body: 'x' }))
    return Promise.all(calls.map(async (one) => (await one).status))
  }

  it('is found by all as soon as it is deployed, where it was 404 before', async () => {
    expect(await callsOf('late')).toEqual([404, 404, 404])

    const deployed = await manage(1, 'POST', 'functions', { service: 'late', image: 'alpine', envProcess: 'cat' })

    expect(deployed.status).toBe(202)
    await eventually('all to find it', async () => (await callsOf('late')).every((status) => status === 200), 3_000)
  })

  it('is woken by whichever is asked after it was scaled to zero', async () => {
    const body = { service: 'napping', image: 'pilotlight/hello:1', labels: sleeping }
    await manage(1, 'POST', 'functions', body)
    await eventually('it to serve', async () => (await callsOf('napping')).every((status) => status === 200))

    await manage(2, 'POST', 'scale-function/napping', { serviceName: 'napping', replicas: 0 })

    expect(await callsOf('napping')).toEqual([200, 200, 200])
  })

  it('is gone for all once it is deleted', async () => {
    await manage(1, 'POST', 'functions', { service: 'brief', image: 'alpine', envProcess: 'cat' })
    await eventually('all to find it', async () => (await callsOf('brief')).every((status) => status === 200), 3_000)

    const deleted = await manage(3, 'DELETE', 'functions', { functionName: 'brief' })

    expect(deleted.status).toBe(202)
    await eventually('all to miss it', async () => (await callsOf('brief')).every((status) => status === 404), 3_000)
  })
})
