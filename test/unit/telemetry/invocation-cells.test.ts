import { DataPointType } from '@opentelemetry/sdk-metrics'
import { describe, expect, it } from 'vitest'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

const anHourMs = 60 * 60 * 1000

function setUp(maxSeries?: number) {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  return { clock, log, cells: new InvocationCells({ clock, log, ...(maxSeries !== undefined && { maxSeries }) }) }
}

function points(cells: InvocationCells, name: string) {
  const data = cells.read().find(({ descriptor }) => descriptor.name === name)
  if (data?.dataPointType !== DataPointType.SUM) throw new Error(`${name} is no counter`)
  return data.dataPoints.map(({ attributes, value }) => Object.values<unknown>(attributes).concat(value))
}

describe('InvocationCells', () => {
  it('counts starts by function, and ends by function and status', () => {
    const { cells } = setUp()

    cells.started('a.fn')
    cells.started('a.fn')
    cells.ended('a.fn', 200, 0.1)
    cells.ended('a.fn', 502, 0.1)
    cells.ended('b.fn', 200, 0.1)

    expect(points(cells, 'gateway_function_invocation_started')).toEqual([['a.fn', 2]])
    expect(points(cells, 'gateway_function_invocation_started_total')).toEqual([['a.fn', 2]])
    expect(points(cells, 'gateway_function_invocation_total')).toEqual([
      ['a.fn', '200', 1],
      ['a.fn', '502', 1],
      ['b.fn', '200', 1],
    ])
  })

  it('tells the ended calls of a function over all statuses, and 0 for one never called', () => {
    const { cells } = setUp()

    cells.started('a.fn')
    cells.ended('a.fn', 200, 0.1)
    cells.ended('a.fn', 499, 0.1)

    expect(cells.total('a.fn')).toBe(2)
    expect(cells.total('b.fn')).toBe(0)
  })

  it.each([
    [0, 0],
    [0.005, 0],
    [0.0051, 1],
    [10, 10],
    [10.1, 11],
  ])('puts %d seconds into the bucket whose upper bound includes it', (seconds, bucket) => {
    const { cells } = setUp()

    cells.ended('a.fn', 200, seconds)

    const data = cells.read().find(({ descriptor }) => descriptor.name === 'gateway_functions_seconds')
    const value = data?.dataPointType === DataPointType.HISTOGRAM ? data.dataPoints[0]?.value : undefined
    expect(value?.buckets.counts.indexOf(1)).toBe(bucket)
    expect(value?.sum).toBe(seconds)
  })

  it('takes no new series at its limit, keeps counting those it has, and says so once', () => {
    const { cells, log } = setUp(2)

    for (const code of [200, 404, 500, 502]) cells.ended('a.fn', code, 0)
    cells.ended('a.fn', 200, 0)

    expect(points(cells, 'gateway_function_invocation_total')).toEqual([
      ['a.fn', '200', 2],
      ['a.fn', '404', 1],
    ])
    expect(cells.total('a.fn')).toBe(5)
    expect(log.messages('warn')).toHaveLength(1)
  })

  it('holds no more functions than its limit, though none of their calls ends', () => {
    const { cells } = setUp(10)

    for (let i = 0; i < 1_000; i += 1) cells.started(`flood-${i}.fn`)

    expect(points(cells, 'gateway_function_invocation_started')).toHaveLength(10)
  })

  it('forgets a function that is unknown and was not called for an hour, and gives its room back', async () => {
    const { cells, clock } = setUp(1)
    cells.ended('old.fn', 200, 0)
    cells.forgetUnknown(() => false)

    await clock.advance(anHourMs + 1)
    cells.forgetUnknown(() => false)
    cells.ended('new.fn', 200, 0)

    expect(points(cells, 'gateway_function_invocation_total')).toEqual([['new.fn', '200', 1]])
  })

  it.each(['known', 'called', 'in flight'])('keeps the counts of a function that is %s', async (why) => {
    const { cells, clock } = setUp()
    cells.ended('a.fn', 200, 0)
    cells.started('a.fn')
    if (why === 'in flight') cells.started('a.fn')
    cells.forgetUnknown(() => false)

    await clock.advance(anHourMs + 1)
    if (why === 'called') cells.ended('a.fn', 200, 0)
    cells.forgetUnknown(() => why === 'known')

    expect(cells.total('a.fn')).toBeGreaterThan(0)
  })

  it('keeps the counts of a function that its provider lost for a while', async () => {
    const { cells, clock } = setUp()
    cells.ended('a.fn', 200, 0)
    cells.forgetUnknown(() => true)

    await clock.advance(anHourMs - 1)
    cells.forgetUnknown(() => false)

    expect(cells.total('a.fn')).toBe(1)
  })
})
