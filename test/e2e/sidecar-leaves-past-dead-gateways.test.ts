import { describe, expect, it } from 'vitest'
import { IdentifiedLoad } from '../support/identified-load.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'

describe('an instance that leaves while one of its three gateways is dead and another one hangs', () => {
  guardAgainstLeaks()

  it('is gone within seconds, and costs no call', async () => {
    await using fleet = await SidecarFleet.start({ gateways: 3 })
    const [leaving, staying] = [
      await fleet.startInstance({ env: { PILOTLIGHT_GRACE_PERIOD: '60s' } }),
      await fleet.startInstance(),
    ]
    await fleet.areReady([leaving.id, staying.id])
    const [serving, dead, hanging] = [fleet.gateway(1), fleet.gateway(2), fleet.gateway(3)]
    const load = new IdentifiedLoad(fleet.urls.slice(0, 1), { perUrl: 8 })
    for (const one of [leaving, staying]) await one.isCalled()

    dead.signal('SIGKILL')
    await dead.exited
    hanging.signal('SIGSTOP')
    const askedAtMs = performance.now()
    leaving.sidecar.signal('SIGTERM')
    await fleet.areReady([staying.id], [serving])
    expect(await leaving.sidecar.exited).toBe(0)
    const tookMs = performance.now() - askedAtMs
    hanging.signal('SIGCONT')
    await fleet.areReady([staying.id], [serving, hanging])
    await load.stop()

    expect(tookMs).toBeLessThan(5_000)
    expect(load.failures).toEqual([])
    expect([...leaving.calls, ...staying.calls].toSorted()).toEqual(load.answered.toSorted())
    expect(fleet.provider.count('invoke')).toBe(0)
  })
})
