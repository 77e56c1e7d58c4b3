import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { IdentifiedLoad } from '../support/identified-load.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import type { RecordedInstance } from '../support/recorded-instance.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'

describe('three instances behind two gateways, under load', () => {
  guardAgainstLeaks()
  let fleet: SidecarFleet
  /** Every instance that there has been. */
  let all: RecordedInstance[]
  beforeEach(async () => {
    fleet = await SidecarFleet.start()
    all = []
  })
  afterEach(() => fleet[Symbol.asyncDispose]())

  async function start(limit: number): Promise<RecordedInstance> {
    const instance = await fleet.startInstance({ limit })
    all.push(instance)
    return instance
  }

  function startThree(limit: number): Promise<readonly RecordedInstance[]> {
    return Promise.all([1, 2, 3].map(() => start(limit)))
  }

  async function leaves(instance: RecordedInstance): Promise<void> {
    instance.sidecar.signal('SIGTERM')
    expect(await instance.sidecar.exited).toBe(0)
    expect(instance.wasStopped).toBe(true)
  }

  /** Fails unless each call was answered, and run once. */
  async function expectEachOnce(load: IdentifiedLoad): Promise<void> {
    await load.stop()
    expect(load.failures).toEqual([])
    expect(all.flatMap(({ calls }) => calls).toSorted()).toEqual(load.answered.toSorted())
    expect(fleet.provider.count('invoke')).toBe(0)
    // No gateway has had to find out for itself that an instance had gone.
    for (const gateway of fleet.gateways) {
      const page = await gateway.metrics()
      const ejections = ['refused', 'failed'].map((cause) =>
        metricValue(page, 'pilotlight_instance_ejections_total', { cause }),
      )
      expect(ejections).toEqual([0, 0])
    }
  }

  it.each([0, 1])('run every call once while one after the other is replaced (limit %i)', async (limit) => {
    const old = await startThree(limit)
    await fleet.areReady(old.map(({ id }) => id))
    const load = new IdentifiedLoad(fleet.urls)

    for (const one of old) {
      await one.isCalled()
      await (await start(limit)).isCalled()
      await leaves(one)
    }

    await expectEachOnce(load)
    if (limit > 0) expect(all.map(({ mostUnderWay }) => mostUnderWay)).toEqual(all.map(() => limit))
  })

  it('run every call once while all are replaced together', async () => {
    const old = await startThree(0)
    await fleet.areReady(old.map(({ id }) => id))
    const load = new IdentifiedLoad(fleet.urls)
    for (const one of old) await one.isCalled()

    const fresh = await startThree(0)
    for (const one of fresh) await one.isCalled()
    await Promise.all(old.map(leaves))

    await expectEachOnce(load)
  })
})
