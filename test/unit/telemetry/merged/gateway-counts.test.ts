import { describe, expect, it } from 'vitest'
import { GatewayCounts } from '../../../../core/telemetry/merged/gateway-counts.ts'
import { SomeSupervisor, type SomeWorker } from './some-workers.ts'

function setUp() {
  const supervisor = new SomeSupervisor()
  const [one, two] = [supervisor.worker(1), supervisor.worker(2)]
  one.cells.ended('a.fn', 200, 0.1)
  two.cells.ended('a.fn', 200, 0.1)
  two.cells.ended('b.fn', 200, 0.1)
  return { supervisor, one, two }
}

function countsOf(worker: SomeWorker, supervisor: SomeSupervisor): GatewayCounts {
  return new GatewayCounts({ line: worker.lines.worker, clock: supervisor.clock, own: worker.cells })
}

const ofAll = new Map([
  ['a.fn', 2],
  ['b.fn', 1],
])
const ofOne = new Map([['a.fn', 1]])

describe('GatewayCounts', () => {
  it('tells a worker the calls of all workers', async () => {
    const { supervisor, one } = setUp()

    expect(await countsOf(one, supervisor).totals()).toEqual(ofAll)
  })

  it('asks once for all who ask at the same time', async () => {
    const { supervisor, one } = setUp()
    const counts = countsOf(one, supervisor)

    await Promise.all([counts.totals(), counts.totals(), counts.totals()])

    expect(one.lines.worker.sent.filter(({ topic }) => topic === 'metrics:counts')).toHaveLength(1)
  })

  it('tells its own counts when the supervisor does not answer within a second', async () => {
    const { supervisor, one } = setUp()
    one.lines.supervisor.stall()

    const totals = countsOf(one, supervisor).totals()
    await supervisor.clock.advance(1_000)

    expect(await totals).toEqual(ofOne)
  })

  it('tells its own counts when the supervisor is gone', async () => {
    const { supervisor, one } = setUp()
    const counts = countsOf(one, supervisor)

    one.lines.cut()

    expect(await counts.totals()).toEqual(ofOne)
  })

  it.each([
    ['nothing', undefined],
    ['a text', 'many'],
    ['counts for other names', { names: ['a.fn'], counts: Float64Array.of(1, 2) }],
    ['no counts', { names: ['a.fn'], counts: ['1'] }],
  ])('tells its own counts when the answer is %s', async (_, body) => {
    const { supervisor, one } = setUp()
    one.lines.supervisor.receive('metrics:counts', (question) => {
      const { id } = question as { id: number } // asked by `Questions`
      one.lines.supervisor.send('metrics:counts:answer', { id, body })
    })

    expect(await countsOf(one, supervisor).totals()).toEqual(ofOne)
  })

  it('counts what the others had reported when one of them hangs', async () => {
    const { supervisor, one, two } = setUp()
    await supervisor.page()
    two.lines.worker.stall()

    const totals = countsOf(one, supervisor).totals()
    await supervisor.clock.advance(500)

    expect(await totals).toEqual(ofAll)
  })

  it('leaves nothing listening once it is closed', () => {
    const { supervisor, one } = setUp()
    const before = one.lines.worker.listeners

    const counts = countsOf(one, supervisor)
    counts[Symbol.dispose]()

    expect(one.lines.worker.listeners).toBe(before)
  })
})
