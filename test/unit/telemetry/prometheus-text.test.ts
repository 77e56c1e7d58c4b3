import { describe, expect, it } from 'vitest'
import { prometheusText } from '../../../core/telemetry/prometheus-text.ts'
import type { SeriesTable } from '../../../core/telemetry/series/series-table.ts'
import { seriesTable } from './some-series.ts'

function write(...tables: SeriesTable[]): string {
  return Buffer.concat([...prometheusText(tables)]).toString()
}

describe('prometheusText', () => {
  it('writes help, type and one line per series', () => {
    const text = write(seriesTable({ name: 'depth', help: 'How deep' }, { 'z="1",a="2"': [1.5], '': [2] }))

    expect(text).toBe('# HELP depth How deep\n# TYPE depth gauge\ndepth{z="1",a="2"} 1.5\ndepth 2\n')
  })

  it('writes histograms with cumulative buckets up to +Inf', () => {
    const family = { name: 'took', type: 'histogram', boundaries: [0.5, 1] } as const

    const text = write(seriesTable(family, { 'f="a"': [2, 0, 1, 7.5] }))

    expect(text.split('\n').slice(2)).toEqual([
      'took_bucket{f="a",le="0.5"} 2',
      'took_bucket{f="a",le="1"} 2',
      'took_bucket{f="a",le="+Inf"} 3',
      'took_sum{f="a"} 7.5',
      'took_count{f="a"} 3',
      '',
    ])
  })

  it('writes a histogram without labels', () => {
    const text = write(seriesTable({ name: 'took', type: 'histogram', boundaries: [1] }, { '': [1, 0, 0.5] }))

    expect(text.split('\n').slice(2)).toEqual([
      'took_bucket{le="1"} 1',
      'took_bucket{le="+Inf"} 1',
      'took_sum 0.5',
      'took_count 1',
      '',
    ])
  })

  it('writes help and type once for a name that two sources share', () => {
    const text = write(
      seriesTable({ name: 'depth', help: 'first' }, { 'from="a"': [1] }),
      seriesTable({ name: 'other' }, { '': [1] }),
      seriesTable({ name: 'depth', help: 'second' }, { 'from="b"': [2] }),
    )

    expect(text.match(/# TYPE depth/g)).toHaveLength(1)
    expect(text).toContain('# HELP depth first\n# TYPE depth gauge\ndepth{from="a"} 1\ndepth{from="b"} 2\n')
  })

  it('leaves a second type under one name out, as parsers refuse it', () => {
    const text = write(
      seriesTable({ name: 'calls', type: 'counter' }, { '': [1] }),
      seriesTable({ name: 'calls', type: 'gauge' }, { '': [2] }),
    )

    expect(text).toBe('# HELP calls x\n# TYPE calls counter\ncalls 1\n')
  })

  it('leaves histograms with other buckets than the first of their name out', () => {
    const text = write(
      seriesTable({ name: 'took', type: 'histogram', boundaries: [1] }, { 'f="a"': [1, 0, 0.5] }),
      seriesTable({ name: 'took', type: 'histogram', boundaries: [2] }, { 'f="b"': [1, 0, 0.5] }),
    )

    expect(text).not.toContain('f="b"')
  })

  it('writes nothing for a family without series', () => {
    expect(write(seriesTable({ name: 'depth' }, {}))).toBe('')
  })

  it('leaves series out that were removed', () => {
    const table = seriesTable({ name: 'depth' }, { 'f="a"': [1], 'f="b"': [2] })

    table.remove(0)

    expect(write(table)).toBe('# HELP depth x\n# TYPE depth gauge\ndepth{f="b"} 2\n')
  })

  it('escapes what could end the line of a help', () => {
    const text = write(seriesTable({ name: 'depth', help: 'a\\b\nc' }, { '': [1] }))

    expect(text).toContain('# HELP depth a\\\\b\\nc\n')
  })

  it.each([
    [Number.POSITIVE_INFINITY, '+Inf'],
    [Number.NEGATIVE_INFINITY, '-Inf'],
    [Number.NaN, 'NaN'],
    [1e21, '1e+21'],
    [9_007_199_254_740_991, '9007199254740991'],
  ])('writes the number %d as %s', (value, text) => {
    expect(write(seriesTable({ name: 'g' }, { '': [value] }))).toContain(`g ${text}\n`)
  })

  it('makes a long page in slices, as they are asked for, and each time anew', () => {
    const many = Array.from({ length: 10_000 }, (_, i) => [`function_name="function-${i}.openfaas-fn"`, [i]] as const)
    const table = seriesTable({ name: 'depth' }, Object.fromEntries(many))
    const page = prometheusText([table])

    const slices: Uint8Array[] = []
    for (const slice of page) {
      slices.push(slice)
      table.set(9_999, -1)
    }

    expect(slices.length).toBeGreaterThan(5)
    expect(Math.max(...slices.map(({ byteLength }) => byteLength))).toBeLessThan(70_000)
    expect(Buffer.concat(slices).toString()).toContain('depth{function_name="function-9999.openfaas-fn"} -1\n')
    expect(
      Buffer.concat([...page])
        .toString()
        .split('\n'),
    ).toHaveLength(10_003)
  })
})
