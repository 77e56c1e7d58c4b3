import { describe, expect, it } from 'vitest'
import type { JoinedLine } from '../../../support/joined-lines.ts'
import { SomeSupervisor, type SomeWorker } from './some-workers.ts'

const total = 'gateway_function_invocation_total'
const anHourMs = 60 * 60 * 1000

function countOnce(worker: SomeWorker, name = 'a.fn'): void {
  worker.cells.started(name)
  worker.cells.ended(name, 200, 0.1)
}

/** A page for which somebody does not answer. */
async function pageAfterLimit(supervisor: SomeSupervisor): Promise<string> {
  const page = supervisor.page()
  await supervisor.clock.advance(2_000)
  return page
}

describe('MergedMetrics and a worker that hangs', () => {
  it('shows what it said last after 2 s, and that of the others', async () => {
    const supervisor = new SomeSupervisor()
    const [hanging, other] = [supervisor.worker(1), supervisor.worker(2)]
    hanging.metrics.meter.createGauge('depth').record(4)
    for (const worker of [hanging, other]) countOnce(worker)
    await supervisor.page()

    hanging.lines.worker.stall()
    for (const worker of [hanging, other]) countOnce(worker)
    const page = await pageAfterLimit(supervisor)

    expect(page).toContain(`${total}{function_name="a.fn",code="200"} 3\n`)
    expect(page).toContain('depth{worker="1"} 4\n')
  })

  it('counts once what it reports too late', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    worker.lines.worker.stall()
    countOnce(worker)
    await pageAfterLimit(supervisor)
    await pageAfterLimit(supervisor)

    worker.lines.worker.resume()
    await supervisor.page()

    expect(await supervisor.series(total)).toEqual([`${total}{function_name="a.fn",code="200"} 1`])
  })

  it('shows all that it says of itself when it answers several questions at once', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1, 'a')
    for (const name of ['one', 'two', 'three']) worker.metrics.meter.createGauge(name).record(1)
    worker.lines.worker.stall()
    await pageAfterLimit(supervisor)
    await pageAfterLimit(supervisor)

    worker.lines.worker.resume()
    const page = await supervisor.page()

    for (const name of ['one', 'two', 'three']) expect(page).toContain(`${name}{worker="1"} 1\n`)
  })

  it('tells counts without it after 500 ms', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    countOnce(worker)
    await supervisor.page()
    worker.lines.worker.stall()

    const totals = supervisor.merged.totals()
    await supervisor.clock.advance(500)

    expect(await totals).toEqual(new Map([['a.fn', 1]]))
  })

  it('does not wait for its last counts any longer', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    worker.lines.worker.stall()

    const collected = supervisor.merged.collectLast(1)
    await supervisor.clock.advance(2_000)

    await expect(collected).resolves.toBeUndefined()
  })
})

describe('MergedMetrics and a worker that ends', () => {
  it('keeps what it counted up to its last report, and forgets what it said of itself', async () => {
    const supervisor = new SomeSupervisor()
    const [ending, other] = [supervisor.worker(1), supervisor.worker(2)]
    ending.metrics.meter.createGauge('depth').record(4)
    for (const worker of [ending, other]) countOnce(worker)

    await supervisor.merged.collectLast(1)
    ending.lines.cut()
    supervisor.merged.retire(1)
    const replacing = supervisor.worker(3)
    countOnce(replacing)

    expect(await supervisor.series(total)).toEqual([`${total}{function_name="a.fn",code="200"} 3`])
    expect(await supervisor.page()).not.toContain('depth')
  })

  it('keeps the part of a report that it died in, and its earlier gauges until it is retired', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    worker.metrics.meter.createGauge('depth').record(4)
    countOnce(worker)
    await supervisor.page()
    for (let i = 0; i < 5_000; i += 1) countOnce(worker, `f${i}.fn`)

    const dying = supervisor.page()
    await turnsUntil(() => seriesMessages(worker.lines.worker) > 10)
    worker.lines.cut()
    const page = await dying

    expect(page).toContain('{function_name="f0.fn",code="200"} 1\n')
    expect(page).not.toContain('function_name="f4999.fn",code="200",le="+Inf"')
    expect(page).toContain('depth{worker="1"} 4\n')
  })

  it('does not wait for it', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.worker(1).lines.cut()

    await expect(supervisor.page()).resolves.toBe('')
  })
})

describe('MergedMetrics and a worker that lies', () => {
  const family = { name: 'lies_total', help: '', type: 'counter', boundaries: [], combine: 'add' }
  const slice = { family, labels: ['a="1"'], values: Float64Array.of(1) }

  it.each<[string, unknown]>([
    ['nothing', undefined],
    ['a text', 'metrics'],
    ['no report', { slice }],
    ['no slice', { report: 1, slice: 7 }],
    ['no family', { report: 1, slice: { ...slice, family: null } }],
    ['a name that ends a line', { report: 1, slice: { ...slice, family: { ...family, name: 'a\nb' } } }],
    ['an unknown type', { report: 1, slice: { ...slice, family: { ...family, type: 'summary' } } }],
    ['an unknown way to combine', { report: 1, slice: { ...slice, family: { ...family, combine: '__proto__' } } }],
    ['a counter with buckets', { report: 1, slice: { ...slice, family: { ...family, boundaries: [1] } } }],
    [
      'buckets that fall',
      { report: 1, slice: { ...slice, family: { ...family, type: 'histogram', boundaries: [2, 1] } } },
    ],
    ['labels that are none', { report: 1, slice: { ...slice, labels: ['a="1'] } }],
    ['labels that end a line', { report: 1, slice: { ...slice, labels: ['a="1\n"'] } }],
    ['fewer values than labels', { report: 1, slice: { ...slice, labels: ['a="1"', 'a="2"'] } }],
    ['values of another kind', { report: 1, slice: { ...slice, values: [1] } }],
    ['a count that falls', { report: 1, slice: { ...slice, values: Float64Array.of(-1) } }],
    ['a count that is none', { report: 1, slice: { ...slice, values: Float64Array.of(Number.NaN) } }],
    ['an endless count', { report: 1, slice: { ...slice, values: Float64Array.of(Number.POSITIVE_INFINITY) } }],
  ])('drops a message with %s, and says so', async (_, message) => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)

    worker.lines.worker.send('metrics:series', message)
    countOnce(worker)
    const page = await supervisor.page()

    expect(page).not.toContain('lies')
    expect(page).toContain(`${total}{function_name="a.fn",code="200"} 1\n`)
    expect(supervisor.log.messages('warn')).toEqual(['some metrics of a process are not shown'])
  })

  it('would take the same message without a fault', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.worker(1).lines.worker.send('metrics:series', { report: 1, slice })

    expect(await supervisor.series('lies_total')).toEqual(['lies_total{a="1"} 1'])
  })

  it('shows a name as what it was first, and drops series of another kind', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.worker(1).metrics.meter.createHistogram('took').record(1)
    await supervisor.page()
    const advice = { explicitBucketBoundaries: [1, 2] }
    supervisor.worker(2).metrics.meter.createHistogram('took', { advice }).record(1)

    expect(await supervisor.series('took_count')).toEqual(['took_count 1'])
    expect(supervisor.log.messages('warn')).toHaveLength(1)
  })

  it('complains once a minute', async () => {
    const supervisor = new SomeSupervisor()
    const { lines } = supervisor.worker(1)

    for (let i = 0; i < 3; i += 1) lines.worker.send('metrics:series', i)
    await supervisor.clock.advance(60_000)
    lines.worker.send('metrics:series', 4)
    await supervisor.clock.advance(0)

    expect(supervisor.log.messages('warn')).toHaveLength(2)
  })
})

describe('MergedMetrics and a worker that floods', () => {
  it('holds 20,000 series of a name for all workers, and goes on counting in them', async () => {
    const supervisor = new SomeSupervisor()
    const [one, two] = [supervisor.worker(1), supervisor.worker(2)]
    for (let i = 0; i < 15_000; i += 1) {
      one.cells.started(`one${i}.fn`)
      two.cells.started(`two${i}.fn`)
    }
    await supervisor.page()
    one.cells.started('one3.fn')

    const series = await supervisor.series('gateway_function_invocation_started_total')

    expect(series).toHaveLength(20_000)
    expect(series).toContain('gateway_function_invocation_started_total{function_name="one3.fn"} 2')
    expect(supervisor.log.messages('warn')).toHaveLength(1)
  })

  it('holds 1,000 names', async () => {
    const supervisor = new SomeSupervisor()
    const { meter } = supervisor.worker(1).metrics
    for (let i = 0; i < 1_100; i += 1) {
      meter.createCounter(`counted_${i}`).add(1)
      meter.createGauge(`measured_${i}`).record(1)
    }

    const page = await supervisor.page()

    expect(page.match(/^# TYPE counted_/gm)).toHaveLength(1_000)
    expect(page.match(/^# TYPE measured_/gm)).toHaveLength(1_000)
  })
})

describe('the series of a function that nobody calls any more', () => {
  async function afterAnHour(prepare: (supervisor: SomeSupervisor) => void): Promise<readonly string[]> {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    countOnce(worker)
    worker.metrics.meter.createCounter('wakes').add(1, { function_name: 'a.fn' })
    await supervisor.page()
    supervisor.merged.retire(1)
    prepare(supervisor)
    await supervisor.page()
    await supervisor.clock.advance(anHourMs + 1)
    const page = await supervisor.page()
    return page.split('\n').filter((line) => line.startsWith(total) || line.startsWith('wakes'))
  }

  it('end an hour after its last call when no worker knows it', async () => {
    expect(await afterAnHour((supervisor) => supervisor.worker(2))).toEqual([])
  })

  it('stay while a worker knows it, whoever counted', async () => {
    expect(await afterAnHour((supervisor) => supervisor.worker(2, 'a'))).toEqual([
      `${total}{function_name="a.fn",code="200"} 1`,
      'wakes_total{function_name="a.fn"} 1',
    ])
  })

  it('begin again at 1 when it is called again', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    for (let i = 0; i < 3; i += 1) countOnce(worker)
    await supervisor.page()
    await supervisor.clock.advance(anHourMs + 1)
    const forgotten = await supervisor.series(total)

    countOnce(worker)

    expect(forgotten).toEqual([])
    expect(await supervisor.series(total)).toEqual([`${total}{function_name="a.fn",code="200"} 1`])
  })
})

function seriesMessages(line: JoinedLine): number {
  return line.sent.filter(({ topic }) => topic === 'metrics:series').length
}

async function turnsUntil(isDone: () => boolean): Promise<void> {
  while (!isDone()) await new Promise((resolve) => setImmediate(resolve))
}
