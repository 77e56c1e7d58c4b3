import { describe, expect, it } from 'vitest'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

function setUp() {
  const metrics = new Metrics({ clock: new FakeClock(), log: new FakeLogger() })
  const page = async () => Buffer.concat([...(await metrics.page())]).toString()
  return { meter: metrics.meter, page }
}

describe('CountingMeter', () => {
  it('completes the name of a counter, and makes it legal', async () => {
    const { meter, page } = setUp()

    meter.createCounter('my.things', { description: 'What there was' }).add(2)

    expect(await page()).toBe(
      '# HELP my_things_total What there was\n# TYPE my_things_total counter\nmy_things_total 2\n',
    )
  })

  it('counts attributes in any order as one series', async () => {
    const { meter, page } = setUp()
    const counter = meter.createCounter('things_total')

    counter.add(1, { b: 'x', a: 'y' })
    counter.add(1, { a: 'y', b: 'x' })

    expect(await page()).toContain('\nthings_total{a="y",b="x"} 2\n')
  })

  it('shares the series of instruments that are made twice', async () => {
    const { meter, page } = setUp()

    meter.createCounter('things').add(1)
    meter.createCounter('things_total').add(1)

    expect(await page()).toContain('\nthings_total 2\n')
  })

  it('gives histograms the buckets that they name, else those of OpenTelemetry', async () => {
    const { meter, page } = setUp()

    meter.createHistogram('named', { advice: { explicitBucketBoundaries: [1] } }).record(2, { f: 'a' })
    meter.createHistogram('unnamed').record(2)

    const text = await page()
    expect(text).toContain('named_bucket{f="a",le="1"} 0\nnamed_bucket{f="a",le="+Inf"} 1\nnamed_sum{f="a"} 2\n')
    expect(text.match(/^unnamed_bucket/gm)).toHaveLength(16)
  })

  it.each([-1, Number.NaN])('leaves out what cannot be counted: %d', async (value) => {
    const { meter, page } = setUp()

    meter.createCounter('things').add(value)
    meter.createHistogram('took').record(value)

    expect(await page()).toBe('')
  })

  it('shows a series to which 0 was added', async () => {
    const { meter, page } = setUp()

    meter.createCounter('things').add(0)

    expect(await page()).toContain('things_total 0\n')
  })

  it('counts series beyond 20,000 together', async () => {
    const { meter, page } = setUp()
    const counter = meter.createCounter('things')

    for (let i = 0; i < 20_010; i += 1) counter.add(1, { i: String(i) })
    counter.add(1, { i: '0' })

    const text = await page()
    expect(text).toContain('things_total{i="0"} 2\n')
    expect(text).toContain('things_total{otel_metric_overflow="true"} 10\n')
  })

  it('leaves all other instruments to the SDK', async () => {
    const { meter, page } = setUp()

    meter.createGauge('gauge').record(1)
    meter.createUpDownCounter('sum').add(-2)
    meter.createObservableGauge('observed_gauge').addCallback((result) => result.observe(3))
    meter.createObservableCounter('observed').addCallback((result) => result.observe(4))
    meter.createObservableUpDownCounter('observed_sum').addCallback((result) => result.observe(5))
    const batch = meter.createObservableGauge('batch')
    const observe: Parameters<typeof meter.addBatchObservableCallback>[0] = (result) => result.observe(batch, 6)
    meter.addBatchObservableCallback(observe, [batch])
    const text = await page()
    meter.removeBatchObservableCallback(observe, [batch])

    for (const line of ['gauge 1', 'sum -2', 'observed_gauge 3', 'observed_total 4', 'observed_sum 5', 'batch 6'])
      expect(text).toContain(`\n${line}\n`)
    expect(text).toContain('# TYPE observed_total counter\n')
    expect(text).toContain('# TYPE sum gauge\n')
    expect(await page()).not.toContain('batch')
  })
})
