import { describe, expect, it } from 'vitest'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ReplicaSeries } from '../../../core/telemetry/replica-series.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { directoryOf, readyState } from '../plugins/notifier/some-exchange.ts'

function setUp() {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  const metrics = new Metrics({ clock, log })
  const page = async () => Buffer.concat([...(await metrics.page())]).toString()
  return { clock, log, metrics, page }
}

describe('Metrics', () => {
  it('shows the OpenFaaS series with their names, labels, help and buckets', async () => {
    const { clock, log, metrics, page } = setUp()
    const cells = new InvocationCells({ clock, log })
    metrics.include(cells)
    metrics.include(new ReplicaSeries({ directory: directoryOf('echo') }))

    cells.started('echo.fn')
    cells.ended('echo.fn', 200, 0.02)

    expect(await page()).toBe(`# HELP gateway_function_invocation_total Function metrics
# TYPE gateway_function_invocation_total counter
gateway_function_invocation_total{function_name="echo.fn",code="200"} 1
# HELP gateway_functions_seconds Function time taken
# TYPE gateway_functions_seconds histogram
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.005"} 0
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.01"} 0
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.025"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.05"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.1"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.25"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="0.5"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="1"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="2.5"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="5"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="10"} 1
gateway_functions_seconds_bucket{function_name="echo.fn",code="200",le="+Inf"} 1
gateway_functions_seconds_sum{function_name="echo.fn",code="200"} 0.02
gateway_functions_seconds_count{function_name="echo.fn",code="200"} 1
# HELP gateway_function_invocation_started The total number of function HTTP requests started.
# TYPE gateway_function_invocation_started counter
gateway_function_invocation_started{function_name="echo.fn"} 1
# HELP gateway_function_invocation_started_total The total number of function HTTP requests started.
# TYPE gateway_function_invocation_started_total counter
gateway_function_invocation_started_total{function_name="echo.fn"} 1
# HELP gateway_service_count Current count of replicas for function
# TYPE gateway_service_count gauge
gateway_service_count{function_name="echo.fn"} 1
`)
  })

  it('ends the replica series of a function that was removed', async () => {
    const { metrics, page } = setUp()
    const directory = directoryOf('echo', 'other')
    directory.apply(readyState('echo', 4))
    metrics.include(new ReplicaSeries({ directory }))

    const before = await page()
    directory.remove('echo.fn')

    expect(before).toContain('gateway_service_count{function_name="echo.fn"} 4\n')
    expect(await page()).not.toContain('echo')
    expect(await page()).toContain('gateway_service_count{function_name="other.fn"} 1\n')
  })

  it('ends a series of an observable gauge that is no longer observed', async () => {
    const { metrics, page } = setUp()
    let names = ['a', 'b']
    metrics.meter.createObservableGauge('depth').addCallback((result) => {
      for (const name of names) result.observe(1, { name })
    })

    const before = await page()
    names = ['b']

    expect(before).toContain('depth{name="a"}')
    expect(await page()).not.toContain('depth{name="a"}')
    expect(await page()).toContain('depth{name="b"} 1\n')
  })

  it('keeps counting over several pages', async () => {
    const { metrics, page } = setUp()
    const counter = metrics.meter.createCounter('things_total')

    counter.add(1)
    await page()
    counter.add(2)

    expect(await page()).toContain('things_total 3\n')
  })

  it('holds more series per instrument than the 2,000 that the SDK gives by default', async () => {
    const { metrics, page } = setUp()
    const counter = metrics.meter.createCounter('things_total')

    for (let i = 0; i < 5_000; i += 1) counter.add(1, { name: `n${i}` })

    expect((await page()).match(/^things_total\{name=/gm)).toHaveLength(5_000)
  })

  it('makes one page for all who ask at the same time, and a new one after it', async () => {
    const { metrics } = setUp()
    let reads = 0
    metrics.include({ read: () => ((reads += 1), []) })

    await Promise.all([metrics.page(), metrics.page(), metrics.page()])
    const readsOfOnePage = reads
    await metrics.page()

    expect(readsOfOnePage).toBe(1)
    expect(reads).toBe(2)
  })

  it('loses no more than the series of a source or callback that fails, and logs it once a minute', async () => {
    const { clock, log, metrics, page } = setUp()
    metrics.meter.createCounter('healthy_total').add(1)
    metrics.meter.createObservableGauge('broken').addCallback(() => {
      throw new Error('cannot be observed')
    })
    metrics.include({
      read: () => {
        throw new Error('cannot be read')
      },
    })

    const first = await page()
    await page()
    const linesAtFirst = log.messages('warn').length
    await clock.advance(60_000)
    await page()

    expect(first).toContain('healthy_total 1\n')
    expect(linesAtFirst).toBe(1)
    expect(log.messages('warn')).toHaveLength(2)
  })

  it('refuses a page after it was closed', async () => {
    const { metrics } = setUp()

    await metrics[Symbol.asyncDispose]()

    await expect(metrics.page()).rejects.toThrow()
  })
})
