import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { callTogether, statuses } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { eventually } from '../support/eventually.ts'
import { InstanceDouble } from '../support/instance-double.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'

describe('1,000 calls of a function at zero, before three gateways', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  const instances: InstanceDouble[] = []
  beforeAll(async () => {
    provider = await ScriptedProvider.start()
    fleet = await startCluster(provider)
  })
  afterAll(async () => {
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
    await Promise.all(instances.map((one) => one[Symbol.asyncDispose]()))
  })

  it('are all answered, and no instance ever has more than one', async () => {
    // Never ready by its own word: the instances alone say so, each to one gateway.
    provider.add({ name: 'narrow', desired: 0, readyAfterMs: -1 })
    provider.intercept = ({ kind }) => {
      if (kind === 'scale' && instances.length === 0) void startInstances(3)
      return undefined
    }

    const outcomes = await callTogether(1000, `${fleet.url}/function/narrow`)

    expect(statuses(outcomes)).toEqual({ 200: 1000 })
    expect(instances.map(({ mostInFlight }) => mostInFlight)).toEqual([1, 1, 1])
    expect(instances.reduce((sum, { served }) => sum + served, 0)).toBe(1000)
    expect(provider.count('scale')).toBe(1)
    expect(provider.count('invoke')).toBe(0)
    for (const { gateways } of instances) expect(gateways.size).toBe(3)
    await eventually('unused slots to be free again', () => instances.every(({ slots }) => slots.reserved === 0))
  })

  async function startInstances(count: number): Promise<void> {
    const key = readFileSync(join(fleet.folder.path, 'instance-key'), 'utf8')
    for (let i = 0; i < count; i += 1) {
      const instance = await InstanceDouble.start({ name: 'narrow', limit: 1, workMs: 1, key })
      instances.push(instance)
      const url = fleet.gateway(i + 1).url
      await instance.report([url], 'starting')
      await instance.report([url])
    }
  }
})
