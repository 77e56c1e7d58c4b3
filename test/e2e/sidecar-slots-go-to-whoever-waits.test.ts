import { describe, expect, it } from 'vitest'
import { startCall, statuses } from '../support/callers.ts'
import { eventually } from '../support/eventually.ts'
import { FrontedFunction } from '../support/fronted-function.ts'
import { guardAgainstLeaks } from '../support/leak-guard.ts'
import { metricValue } from '../support/metrics-page.ts'
import { SidecarFleet } from '../support/sidecar-fleet.ts'
import { sidecarMetric } from '../support/sidecar-pages.ts'

/** Calls that wait for a slot in all gateways. */
async function waiting({ gateways }: SidecarFleet): Promise<number> {
  const pages = await Promise.all(gateways.map((one) => one.metrics()))
  return pages.reduce((sum, page) => sum + (metricValue(page, 'pilotlight_slot_waiting_requests') ?? 0), 0)
}

describe('two gateways before two instances with a limit of 1, each of which reports to one of them', () => {
  guardAgainstLeaks()

  it('let no call wait while an instance is idle', async () => {
    await using first = await FrontedFunction.start()
    await using second = await FrontedFunction.start()
    await using fleet = await SidecarFleet.start()
    const [one, two] = [
      await fleet.front(first.url, { limit: 1, reportsTo: [fleet.gateway(1)] }),
      await fleet.front(second.url, { limit: 1, reportsTo: [fleet.gateway(2)] }),
    ]
    await fleet.areReady([one.id, two.id])
    const outcomes = fleet.urls.map((url) => startCall(url).outcome)
    await eventually('both to work', () => [first, second].every(({ calls }) => calls.length === 1))
    for (const url of Array.from({ length: 30 }, () => fleet.urls).flat()) outcomes.push(startCall(url).outcome)
    await eventually('60 calls to wait', async () => (await waiting(fleet)) === 60)

    // One becomes free at a time, in no order: the next call must begin there, with no other event to wait for.
    for (let step = 0; step < 60; step += 1) {
      const [freed, busy] = (step * 7) % 5 < 2 ? [first, second] : [second, first]
      const busyWith = busy.calls[0]
      const begins = new Promise<void>((resolve) => (freed.onCall = resolve))
      freed.calls[0]?.finish()
      await begins
      expect(busy.calls[0]).toBe(busyWith)
    }
    for (const { calls } of [first, second]) calls[0]?.finish()

    expect(statuses(await Promise.all(outcomes))).toEqual({ 200: 62 })
    expect([first.mostInFlight, second.mostInFlight]).toEqual([1, 1])
    expect([
      await sidecarMetric(one.sidecar, 'slots_expired_total'),
      await sidecarMetric(two.sidecar, 'slots_expired_total'),
    ]).toEqual([0, 0])
    expect(fleet.provider.count('invoke')).toBe(0)
  })
})
