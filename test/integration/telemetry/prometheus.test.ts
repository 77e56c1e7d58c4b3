import { describe, expect, it } from 'vitest'
import { UndiciHttpClient } from '../../../core/http/undici-http-client.ts'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { MetricsServer } from '../../../core/telemetry/metrics-server.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { PrometheusCounts } from '../../../plugins/add-metrics/prometheus-counts.ts'
import { eventually } from '../../support/eventually.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { startPrometheus } from './real-prometheus.ts'

guardAgainstLeaks()

describe('a real Prometheus that scrapes the gateway', () => {
  it('gives the counts of all statuses back, by namespace', async () => {
    const [clock, log] = [new SystemClock(), new FakeLogger()]
    await using metrics = new Metrics({ clock, log })
    const cells = new InvocationCells({ clock, log })
    metrics.include(cells)
    for (const code of [200, 200, 502]) cells.ended('echo.openfaas-fn', code, 0.1)
    cells.ended('echo.other', 200, 0.1)
    cells.ended('echo.not-openfaas-fn', 200, 0.1)
    cells.ended('bare', 200, 0.1)
    await using server = new MetricsServer({ metrics, readiness: () => [], clock, log })
    await using prometheus = await startPrometheus(`127.0.0.1:${await server.listen('127.0.0.1', 0)}`)
    await using http = new UndiciHttpClient({ clock, connectTimeoutMs: 1_000 })
    const options = { url: prometheus.url, timeoutMs: 2_000, pauseMs: 0, userAgent: 'test' }
    const counts = new PrometheusCounts({ http, clock, log, random: () => 0, options })

    const seen = await eventually(
      'the first scrape',
      async () => {
        const found = await counts.in(['openfaas-fn', ''])
        return found !== undefined && found.size > 0 && found
      },
      15_000,
    )

    expect(seen).toEqual(
      new Map([
        ['echo.openfaas-fn', 3],
        ['bare', 1],
      ]),
    )
    expect(await counts.in(['other'])).toEqual(new Map([['echo.other', 1]]))
  })
})
