import { describe, expect, it } from 'vitest'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ProcessMetrics } from '../../../core/telemetry/process-metrics.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { pause } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

function setUp() {
  const metrics = new Metrics({ clock: new FakeClock(), log: new FakeLogger() })
  const read = async () => new Map(samples(Buffer.concat([...(await metrics.page())]).toString()))
  return { metrics, read }
}

function samples(page: string): (readonly [string, number])[] {
  const lines = page.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))])
}

describe('ProcessMetrics', () => {
  it('measures this process in base units', async () => {
    const { metrics, read } = setUp()
    using _measured = new ProcessMetrics({ meter: metrics.meter, version: '1.2.3' })

    const page = await read()

    expect(page.get('process_resident_memory_bytes')).toBeGreaterThan(10_000_000)
    expect(page.get('process_start_time_seconds')).toBeCloseTo(Date.now() / 1000 - process.uptime(), -1)
    expect(page.get('process_open_fds')).toBeGreaterThan(3)
    expect(page.get('nodejs_heap_size_used_bytes')).toBeLessThan(page.get('nodejs_heap_size_total_bytes') ?? 0)
    expect(page.get(`pilotlight_build_info{version="1.2.3",node="${process.version}"}`)).toBe(1)
  })

  it('adds up processor time', async () => {
    const { metrics, read } = setUp()
    using _measured = new ProcessMetrics({ meter: metrics.meter, version: '1' })

    const before = (await read()).get('process_cpu_seconds_total') ?? 0
    block(30)

    expect((await read()).get('process_cpu_seconds_total')).toBeGreaterThan(before)
  })

  it('shows a stall of the event loop in the page after it, and not in the next', async () => {
    const { metrics, read } = setUp()
    using _measured = new ProcessMetrics({ meter: metrics.meter, version: '1' })
    await read()
    await pause(30) // the monitor's ticks begin

    block(300)
    await pause(30)
    const after = (await read()).get('nodejs_eventloop_lag_max_seconds')
    await pause(30)
    const later = (await read()).get('nodejs_eventloop_lag_max_seconds')

    expect(after).toBeGreaterThan(0.2)
    expect(later).toBeLessThan(after ?? 0)
  })

  it('observes nothing more once it is disposed', async () => {
    const { metrics, read } = setUp()
    const measured = new ProcessMetrics({ meter: metrics.meter, version: '1' })

    measured[Symbol.dispose]()

    expect((await read()).has('process_resident_memory_bytes')).toBe(false)
  })
})

function block(ms: number): void {
  const untilMs = performance.now() + ms
  while (performance.now() < untilMs);
}
