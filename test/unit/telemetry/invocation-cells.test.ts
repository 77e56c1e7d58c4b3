import { describe, expect, it } from 'vitest'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { seriesIn } from './some-series.ts'

const anHourMs = 60 * 60 * 1000

function setUp(maxSeries?: number) {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  return { clock, log, cells: new InvocationCells({ clock, log, ...(maxSeries !== undefined && { maxSeries }) }) }
}

/** The series of one name: labels as text, then the numbers. */
function points(cells: InvocationCells, name: string): (string | number)[][] {
  const table = cells.read().find(({ family }) => family.name === name)
  if (table === undefined) throw new Error(`there is no ${name}`)
  return Object.entries(seriesIn(table)).map(([labels, numbers]) => [labels, numbers].flat())
}

describe('InvocationCells', () => {
  it('counts starts by function, and ends by function and status', () => {
    const { cells } = setUp()

    cells.started('a.fn')
    cells.started('a.fn')
    cells.ended('a.fn', 200, 0.1)
    cells.ended('a.fn', 502, 0.1)
    cells.ended('b.fn', 200, 0.1)

    expect(points(cells, 'gateway_function_invocation_started')).toEqual([['function_name="a.fn"', 2]])
    expect(points(cells, 'gateway_function_invocation_started_total')).toEqual([['function_name="a.fn"', 2]])
    expect(points(cells, 'gateway_function_invocation_total')).toEqual([
      ['function_name="a.fn",code="200"', 1],
      ['function_name="a.fn",code="502"', 1],
      ['function_name="b.fn",code="200"', 1],
    ])
  })

  it('tells the ended calls of each function over all statuses, and nothing of one never called', async () => {
    const { cells } = setUp()

    cells.started('waiting.fn')
    cells.ended('a.fn', 200, 0.1)
    cells.ended('a.fn', 499, 0.1)

    expect(await cells.totals()).toEqual(new Map([['a.fn', 2]]))
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

    const [counts = []] = points(cells, 'gateway_functions_seconds').map(([, ...numbers]) => numbers)
    expect(counts.slice(0, -1).indexOf(1)).toBe(bucket)
    expect(counts.at(-1)).toBe(seconds)
  })

  it('takes no new series at its limit, keeps counting those it has, and says so once', async () => {
    const { cells, log } = setUp(2)

    for (const code of [200, 404, 500, 502]) cells.ended('a.fn', code, 0)
    cells.ended('a.fn', 200, 0)

    expect(points(cells, 'gateway_function_invocation_total')).toEqual([
      ['function_name="a.fn",code="200"', 2],
      ['function_name="a.fn",code="404"', 1],
    ])
    expect(await cells.totals()).toEqual(new Map([['a.fn', 5]]))
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

    expect(points(cells, 'gateway_function_invocation_total')).toEqual([['function_name="new.fn",code="200"', 1]])
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

    expect([...(await cells.totals()).keys()]).toEqual(['a.fn'])
  })

  it('keeps the counts of a function that its provider lost for a while', async () => {
    const { cells, clock } = setUp()
    cells.ended('a.fn', 200, 0)
    cells.forgetUnknown(() => true)

    await clock.advance(anHourMs - 1)
    cells.forgetUnknown(() => false)

    expect(await cells.totals()).toEqual(new Map([['a.fn', 1]]))
  })
})
