import { AggregationTemporality, DataPointType, type MetricData } from '@opentelemetry/sdk-metrics'
import { describe, expect, it } from 'vitest'
import { counterData, gaugeData, histogramData } from '../../../core/telemetry/metric-data.ts'
import { PrometheusText } from '../../../core/telemetry/prometheus-text.ts'

const time: [number, number] = [0, 0]

function point<T>(value: T, attributes: Record<string, string> = {}) {
  return { attributes, startTime: time, endTime: time, value }
}

async function write(...metrics: MetricData[]): Promise<string> {
  const writer = new PrometheusText({ bareCounters: ['bare'] })
  return Buffer.concat(await writer.write(metrics)).toString()
}

describe('PrometheusText', () => {
  it('writes help, type and one line per series, labels in their order', async () => {
    const text = await write(gaugeData('depth', 'How deep', [point(1.5, { z: '1', a: '2' }), point(2)]))

    expect(text).toBe('# HELP depth How deep\n# TYPE depth gauge\ndepth{z="1",a="2"} 1.5\ndepth 2\n')
  })

  it('completes the name of a counter, but for one that is known without suffix', async () => {
    const text = await write(counterData('calls', 'x', [point(1)]), counterData('bare', 'x', [point(2)]))

    expect(text).toContain('# TYPE calls_total counter\ncalls_total 1\n')
    expect(text).toContain('# TYPE bare counter\nbare 2\n')
  })

  it('writes a sum that may fall as a gauge', async () => {
    const sum: MetricData = {
      ...counterData('waiting', 'x', []),
      dataPointType: DataPointType.SUM,
      isMonotonic: false,
      dataPoints: [point(3)],
    }

    expect(await write(sum)).toContain('# TYPE waiting gauge\nwaiting 3\n')
  })

  it('writes histograms with cumulative buckets up to +Inf', async () => {
    const value = { buckets: { boundaries: [0.5, 1], counts: [2, 0, 1] }, sum: 7.5, count: 3 }

    const text = await write(histogramData('took', 'x', [point(value, { f: 'a' })]))

    expect(text.split('\n').slice(2)).toEqual([
      'took_bucket{f="a",le="0.5"} 2',
      'took_bucket{f="a",le="1"} 2',
      'took_bucket{f="a",le="+Inf"} 3',
      'took_sum{f="a"} 7.5',
      'took_count{f="a"} 3',
      '',
    ])
  })

  it('writes help and type once for a name that two sources share', async () => {
    const text = await write(
      gaugeData('depth', 'first', [point(1, { from: 'a' })]),
      gaugeData('other', 'x', [point(1)]),
      gaugeData('depth', 'second', [point(2, { from: 'b' })]),
    )

    expect(text.match(/# TYPE depth/g)).toHaveLength(1)
    expect(text).toContain('# HELP depth first\n# TYPE depth gauge\ndepth{from="a"} 1\ndepth{from="b"} 2\n')
  })

  it('leaves a second type under one name out, as parsers refuse it', async () => {
    const text = await write(counterData('bare', 'x', [point(1)]), gaugeData('bare', 'x', [point(2)]))

    expect(text).toBe('# HELP bare x\n# TYPE bare counter\nbare 1\n')
  })

  it('writes nothing for a metric without series, or of a type that has no text form', async () => {
    const exponential: MetricData = {
      descriptor: gaugeData('e', 'x', []).descriptor,
      aggregationTemporality: AggregationTemporality.CUMULATIVE,
      dataPointType: DataPointType.EXPONENTIAL_HISTOGRAM,
      dataPoints: [],
    }

    expect(await write(gaugeData('depth', 'x', []), exponential)).toBe('')
  })

  it('escapes what could end a line or a label, and makes names legal', async () => {
    const text = await write(gaugeData('9.bad-name', 'a\\b\nc', [point(1, { 'label.name': 'say "hi"\\\n}' })]))

    expect(text).toBe(
      '# HELP _9_bad_name a\\\\b\\nc\n# TYPE _9_bad_name gauge\n_9_bad_name{label_name="say \\"hi\\"\\\\\\n}"} 1\n',
    )
  })

  it.each([
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
    [1e21, '1e+21'],
    [9_007_199_254_740_991, '9007199254740991'],
  ])('writes the number %d as %s', async (value, text) => {
    expect(await write(gaugeData('g', 'x', [point(value)]))).toContain(`g ${text}\n`)
  })

  it('lets other work have its turn while it writes a long page', async () => {
    const points = Array.from({ length: 50_000 }, (_, i) => point(i, { function_name: `function-${i}.openfaas-fn` }))
    let turns = 0
    const count = (): void => {
      turns += 1
      handle = setImmediate(count)
    }
    let handle = setImmediate(count)

    const text = await write(gaugeData('depth', 'x', points))
    clearImmediate(handle)

    expect(text.split('\n')).toHaveLength(50_003)
    expect(turns).toBeGreaterThan(10)
  })
})
