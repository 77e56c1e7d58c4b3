import { describe, expect, it } from 'vitest'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ProcessMetrics } from '../../../core/telemetry/process-metrics.ts'
import { ReplicaSeries } from '../../../core/telemetry/replica-series.ts'
import { CallMetrics } from '../../../plugins/notifier/call-metrics.ts'
import { HoldMetrics } from '../../../plugins/notifier/hold-metrics.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { directoryOf, someExchange } from '../../unit/plugins/notifier/some-exchange.ts'
import { promtool } from './promtool.ts'

guardAgainstLeaks()

async function fullPage(): Promise<Uint8Array> {
  const [clock, log, directory] = [new FakeClock(), new FakeLogger(), directoryOf('echo')]
  await using metrics = new Metrics({ clock, log })
  const series = new InvocationCells({ clock, log })
  metrics.include(series)
  metrics.include(new ReplicaSeries({ directory }))
  using _measured = new ProcessMetrics({ meter: metrics.meter, version: '1.0.0' })
  const calls = new CallMetrics({ series, directory, meter: metrics.meter })
  const holds = new HoldMetrics({ meter: metrics.meter, clock, directory })
  const { exchange } = someExchange({ times: { forwardedMs: 1 } })
  holds.held(exchange)
  holds.woken(exchange, 250)
  calls.started(exchange)
  calls.aborted(exchange, { status: 499, bytesSent: 0, upstreamMs: 10, totalMs: 260 })
  series.ended('quote".back\\slash\nline', 200, 0.1)
  return Buffer.concat([...(await metrics.page())])
}

describe('the page of metrics', () => {
  it('is accepted by promtool, which objects only to names that OpenFaaS gave', async () => {
    const { said } = await promtool(await fullPage())

    expect(said).toEqual([
      'gateway_function_invocation_started counter metrics should have "_total" suffix',
      'gateway_service_count non-histogram and non-summary metrics should not have "_count" suffix',
    ])
  })

  it('would be refused by promtool with a repeated TYPE line', async () => {
    const { code, said } = await promtool(
      Buffer.concat([await fullPage(), Buffer.from('# TYPE gateway_service_count gauge\n')]),
    )

    expect(code).not.toBe(0)
    expect(said.join('\n')).toContain('TYPE')
  })
})
