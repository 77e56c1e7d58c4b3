import { describe, expect, it } from 'vitest'
import { MetricsPage } from '../../../../sidecar/admin/metrics-page.ts'
import { ProcessSeries } from '../../../../sidecar/admin/process-series.ts'
import { CallMetrics } from '../../../../sidecar/inbound/call-metrics.ts'
import { Reservations } from '../../../../sidecar/inbound/reservations.ts'
import { Slots } from '../../../../sidecar/inbound/slots.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const base = 'function_name="resize.fn"'
const unlimited = 1_000_000

function start(): MetricsPage {
  const clock = new FakeClock()
  return new MetricsPage({
    clock,
    calls: new CallMetrics(base),
    process: new ProcessSeries(clock, base),
    reservations: new Reservations({ slots: new Slots(0), clock, random: () => 0.5 }),
    load: () => ({ inFlight: 0, queued: 0, streams: 0, idleForMs: 0 }),
    phase: () => 'ready',
    limit: 0,
    functionPage: undefined,
    base,
  })
}

describe('MetricsPage', () => {
  it('gives readers that ask at the same time the same bytes, and later ones new ones', async () => {
    const page = start()

    const together = await Promise.all([page.reply(), page.reply()])
    const [one, other] = await Promise.all(together.map((reply) => reply.bytes(unlimited)))
    const later = await (await page.reply()).bytes(unlimited)

    expect(other).toBe(one)
    expect(later).not.toBe(one)
  })

  it('counts a reply as under way until it is sent or given up', async () => {
    const page = start()
    const replies = await Promise.all(Array.from({ length: 4 }, () => page.reply()))

    const further = await page.reply()
    replies[0]?.discard()
    const later = await page.reply()

    expect([further.status, later.status]).toEqual([503, 200])
  })
})
