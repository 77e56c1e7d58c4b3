import { describe, expect, it } from 'vitest'
import { PageFilter } from '../../../../sidecar/admin/page-filter.ts'

const filter = (): PageFilter => new PageFilter((name) => name.startsWith('taken_'))

describe('PageFilter', () => {
  it.each([
    'a 1',
    'a:b_c 1.5e-3',
    'a{} 0',
    'a{b="c"} +Inf',
    'a{b="c",d="e",} -Inf 1700000000000',
    'a{b="\\\\ \\" \\n {},="} NaN',
    'a { b = "c" } .5',
    '# HELP a Anything: {x} "y".',
    '# HELP a',
    '# TYPE a histogram',
  ])('keeps %s', (line) => {
    expect(filter().line(line)).toBe(line)
  })

  it.each([
    'a',
    'a b',
    'a{b="c" d="e"} 1',
    'a{b=c} 1',
    'a{b="c} 1',
    'a{b="c"}',
    '1a 1',
    'a 0x10',
    'a 1 x',
    'taken_a 1',
    'taken_a{b="c"} 1',
    '\u0000\u0001',
  ])('leaves %j out, and counts it', (line) => {
    const one = filter()

    expect([one.line(line), one.dropped]).toEqual([undefined, 1])
  })

  it.each(['', '#', '# EOF', '# UNIT a seconds', '# TYPE a info', '# TYPE taken_a counter', '#TYPE a counter'])(
    'leaves %j out without a word',
    (line) => {
      const one = filter()

      expect([one.line(line), one.dropped]).toEqual([undefined, 0])
    },
  )

  it('keeps the first description of a name', () => {
    const one = filter()
    const lines = ['# HELP a One.', '# TYPE a gauge', '# HELP a Two.', '# TYPE a counter']

    expect(lines.map((line) => one.line(line))).toEqual([lines[0], lines[1], undefined, undefined])
  })

  it('takes over a sample without the exemplar of OpenMetrics', () => {
    expect(filter().line('a_bucket{le="1"} 3 # {trace_id="x"} 0.5 1700000000')).toBe('a_bucket{le="1"} 3')
  })

  it('does not take long for a line that nearly fits', () => {
    const line = `a{${'b="c",'.repeat(50_000)}b="c} 1`
    const beganMs = performance.now()

    filter().line(line)

    expect(performance.now() - beganMs).toBeLessThan(1_000)
  })
})
