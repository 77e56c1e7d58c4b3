import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { call } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { IdentifiedLoad } from '../support/identified-load.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import type { RecordedInstance } from '../support/recorded-instance.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'

describe('three instances behind two gateways, under load', () => {
  guardAgainstLeaks()
  let fleet: SidecarFleet
  let victim: RecordedInstance
  let others: readonly RecordedInstance[]
  beforeEach(async () => {
    fleet = await SidecarFleet.start({ env: { PILOTLIGHT_INSTANCE_TTL: '1s' } })
    const started = await Promise.all([1, 2, 3].map(() => fleet.startInstance({ workMs: 5 })))
    await fleet.areReady(started.map(({ id }) => id))
    const [first, ...rest] = started
    if (first === undefined) throw new Error('there are three')
    victim = first
    others = rest
  })
  afterEach(() => fleet[Symbol.asyncDispose]())

  it('lose no GET when a sidecar is killed: it is ejected, then forgotten', async () => {
    const load = new IdentifiedLoad(fleet.urls, { methods: ['GET'] })
    await victim.isCalled()

    victim.sidecar.signal('SIGKILL')
    await victim.sidecar.exited
    await fleet.sees('the end of its lease', (listed) => listed.every(({ id }) => id !== victim.id))
    for (const one of others) await one.isCalled()
    await load.stop()

    expect(load.failures).toEqual([])
    for (const gateway of fleet.gateways) {
      const page = await gateway.metrics()
      expect(metricValue(page, 'pilotlight_instance_ejections_total', { cause: 'refused' })).toBeGreaterThan(0)
    }
    expect(fleet.provider.count('invoke')).toBe(0)
  })

  it('lose no GET when a function is killed: its sidecar says so, and that it is back', async () => {
    const load = new IdentifiedLoad(fleet.urls, { methods: ['GET'] })
    await victim.isCalled()

    victim.killFunction()
    await fleet.sees('it unready', (listed) => listed.some(({ id, phase }) => id === victim.id && phase === 'unready'))
    await fleet.areReady([victim, ...others].map(({ id }) => id))
    await victim.isCalled()
    await load.stop()

    expect(load.failures).toEqual([])
    expect(victim.functionPids).toHaveLength(2)
    expect(fleet.provider.count('invoke')).toBe(0)
  })

  it('run no POST twice when a sidecar and a function are killed', async () => {
    const [other] = others
    const load = new IdentifiedLoad(fleet.urls, { methods: ['POST'], perUrl: 8 })
    await victim.isCalled()

    victim.sidecar.signal('SIGKILL')
    other?.killFunction()
    await eventually('the function to be started again', () => other?.functionPids.length === 2)
    await fleet.areReady(others.map(({ id }) => id))
    for (const one of others) await one.isCalled()
    await load.stop()

    const ran = [victim, ...others].flatMap(({ calls }) => calls)
    expect(ran).toHaveLength(new Set(ran).size)
    expect(load.answered.filter((id) => !ran.includes(id))).toEqual([])
    // Only what a killed process was working on may fail: the callers' calls, once each.
    expect(load.failures.filter((line) => !line.endsWith(': 502 '))).toEqual([])
    expect(load.failures.length).toBeLessThanOrEqual(2 * 16)
    expect(fleet.provider.count('invoke')).toBe(0)
  })

  it('let a GET that kills its function reach no more than two instances', async () => {
    const outcome = await call(`${fleet.urls[0]}/die`, { headers: { 'x-call-id': 'deadly' } })

    const died = [victim, ...others].filter(({ calls }) => calls.includes('deadly'))
    expect(died.length).toBe(2)
    expect(outcome.status).toBe(502)
    await fleet.areReady([victim, ...others].map(({ id }) => id))
  })
})
