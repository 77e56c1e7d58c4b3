import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Cluster } from '../../deploy/cluster/cluster.ts'
import { callTogether } from '../support/callers.ts'
import { startCluster } from '../support/cluster.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { recordedFunction, RecordedInstance } from '../support/recorded-instance.ts'
import { ScriptedProvider } from '../support/scripted-provider.ts'
import { SidecarProcess } from '../support/sidecar-process.ts'

describe('1,000 calls of a function at zero, before three gateways', () => {
  guardAgainstLeaks('file')
  let provider: ScriptedProvider
  let fleet: Cluster
  let folder: string
  const instances: Promise<RecordedInstance>[] = []
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pilotlight-narrow-'))
    provider = await ScriptedProvider.start()
    // The usual time limits: four instances take their time to start on a busy machine, and a scale call is not to be repeated for that.
    fleet = await startCluster(provider, { pluginOptions: {} })
  })
  afterAll(async () => {
    for (const one of await Promise.all(instances)) await one[Symbol.asyncDispose]()
    await fleet[Symbol.asyncDispose]()
    await provider[Symbol.asyncDispose]()
    rmSync(folder, { recursive: true, force: true })
  })

  async function startInstance(number: number): Promise<RecordedInstance> {
    const id = `narrow-${number}`
    const file = join(folder, id)
    const sidecar = await SidecarProcess.start({
      name: 'narrow',
      gateways: fleet.gateways.map(({ url }) => url),
      upstreamUrl: '',
      limit: 1,
      env: {
        ...recordedFunction(file, 4),
        PILOTLIGHT_INSTANCE_ID: id,
        PILOTLIGHT_INSTANCE_KEY: readFileSync(join(fleet.folder.path, 'instance-key'), 'utf8'),
      },
    })
    return new RecordedInstance(id, sidecar, file)
  }

  it('are all answered by four instances that never have more than one', async () => {
    // Never ready by its own word: what the scale call started says so itself.
    provider.add({ name: 'narrow', desired: 0, readyAfterMs: -1 })
    provider.intercept = ({ kind }) => {
      if (kind === 'scale' && instances.length === 0) instances.push(...[1, 2, 3, 4].map(startInstance))
      return undefined
    }

    // Straight to the gateways: a balancer that finds them slow to say that they are well, on a busy machine, would answer by itself.
    const perGateway = [334, 333, 333]
    const groups = await Promise.all(
      perGateway.map((count, i) => callTogether(count, `${fleet.gateway(i + 1).url}/function/narrow`)),
    )
    const outcomes = groups.flat()
    const started = await Promise.all(instances)

    expect(
      outcomes
        .filter(({ status }) => status !== 200)
        .map(({ body }) => body)
        .slice(0, 3),
    ).toEqual([])
    expect(started.map(({ mostUnderWay }) => mostUnderWay)).toEqual([1, 1, 1, 1])
    expect(new Set(started.flatMap(({ calls }) => calls)).size).toBe(1000)
    expect(started.flatMap(({ calls }) => calls)).toHaveLength(1000)
    expect(provider.count('scale')).toBe(1)
    expect(provider.count('invoke')).toBe(0)
  })
})
