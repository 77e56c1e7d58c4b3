import { describe, expect, it } from 'vitest'
import { SomeSupervisor, type SomeWorker } from './some-workers.ts'

describe('MergedMetrics', () => {
  it('adds up counters and histograms by labels', async () => {
    const supervisor = new SomeSupervisor()
    const [one, two] = [supervisor.worker(1), supervisor.worker(2)]

    one.cells.ended('a.fn', 200, 0.02)
    two.cells.ended('a.fn', 200, 0.2)
    two.cells.ended('a.fn', 502, 0.2)

    expect(await supervisor.series('gateway_function_invocation_total')).toEqual([
      'gateway_function_invocation_total{function_name="a.fn",code="200"} 2',
      'gateway_function_invocation_total{function_name="a.fn",code="502"} 1',
    ])
    const page = await supervisor.page()
    expect(page).toContain('gateway_functions_seconds_bucket{function_name="a.fn",code="200",le="0.1"} 1\n')
    expect(page).toContain('gateway_functions_seconds_bucket{function_name="a.fn",code="200",le="+Inf"} 2\n')
    expect(page).toContain('gateway_functions_seconds_sum{function_name="a.fn",code="200"} 0.22\n')
    expect(page).toContain('gateway_functions_seconds_count{function_name="a.fn",code="200"} 2\n')
  })

  const gauge = (name: string) => (worker: SomeWorker, value: number) =>
    worker.metrics.meter.createObservableGauge(name).addCallback((result) => result.observe(value))

  it.each<[string, (worker: SomeWorker, value: number) => void, string[]]>([
    ['pilotlight_held_requests', gauge('pilotlight_held_requests'), ['pilotlight_held_requests 5']],
    ['pilotlight_feed_leader', gauge('pilotlight_feed_leader'), ['pilotlight_feed_leader 3']],
    [
      'pilotlight_coordination_degraded',
      gauge('pilotlight_coordination_degraded'),
      ['pilotlight_coordination_degraded 3'],
    ],
    ['pilotlight_build_info', gauge('pilotlight_build_info'), ['pilotlight_build_info 3']],
    [
      'process_open_fds',
      gauge('process_open_fds'),
      ['process_open_fds{worker="1"} 2', 'process_open_fds{worker="2"} 3'],
    ],
    [
      'process_cpu_seconds_total',
      (worker, value) =>
        worker.metrics.meter
          .createObservableCounter('process_cpu_seconds_total')
          .addCallback((result) => result.observe(value)),
      ['process_cpu_seconds_total{worker="1"} 2', 'process_cpu_seconds_total{worker="2"} 3'],
    ],
    [
      'a_gauge_of_a_plugin',
      (worker, value) => worker.metrics.meter.createGauge('a_gauge_of_a_plugin').record(value, { queue: 'x' }),
      ['a_gauge_of_a_plugin{worker="1",queue="x"} 2', 'a_gauge_of_a_plugin{worker="2",queue="x"} 3'],
    ],
    [
      'a_sum_that_falls',
      (worker, value) => worker.metrics.meter.createUpDownCounter('a_sum_that_falls').add(value),
      ['a_sum_that_falls 5'],
    ],
    [
      'things_total',
      (worker, value) => worker.metrics.meter.createCounter('things').add(value, { b: '1', a: '2' }),
      ['things_total{a="2",b="1"} 5'],
    ],
  ])('shows %s of two workers that say 2 and 3 as it is meant', async (name, measure, expected) => {
    const supervisor = new SomeSupervisor()

    measure(supervisor.worker(1), 2)
    measure(supervisor.worker(2), 3)

    expect(await supervisor.series(name)).toEqual(expected)
  })

  it('takes the largest replica count of a function, which all workers say of the same function', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.worker(1, 'a', 'b')
    supervisor.worker(2, 'a')

    expect(await supervisor.series('gateway_service_count')).toEqual([
      'gateway_service_count{function_name="a.fn"} 1',
      'gateway_service_count{function_name="b.fn"} 1',
    ])
  })

  it('shows the supervisor as worker 0', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.own.meter.createObservableGauge('process_open_fds').addCallback((result) => result.observe(9))
    supervisor.own.meter.createCounter('worker_ends_total').add(0, { reason: 'lost' })

    expect(await supervisor.series('process_open_fds')).toEqual(['process_open_fds{worker="0"} 9'])
    expect(await supervisor.series('worker_ends_total')).toEqual(['worker_ends_total{reason="lost"} 0'])
  })

  it('renames a label that a plugin calls like that of the worker', async () => {
    const supervisor = new SomeSupervisor()
    supervisor.worker(1).metrics.meter.createGauge('depth').record(4, { queue: 'x', worker: 'mine' })

    expect(await supervisor.series('depth')).toEqual(['depth{worker="1",queue="x",exported_worker="mine"} 4'])
  })

  it('makes one page for all who ask at the same time', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)

    const pages = await Promise.all([supervisor.merged.page(), supervisor.merged.page(), supervisor.merged.page()])

    expect(new Set(pages).size).toBe(1)
    expect(worker.lines.supervisor.sent).toHaveLength(1)
  })

  it('sends nothing of counters that rest', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    for (let i = 0; i < 1_000; i += 1) worker.cells.ended(`f${i}.fn`, 200, 0.1)
    await supervisor.page()
    const sentAtFirst = worker.lines.worker.sent.length

    worker.cells.ended('f7.fn', 200, 0.1)
    const page = await supervisor.page()

    expect(page).toContain('gateway_function_invocation_total{function_name="f7.fn",code="200"} 2\n')
    expect(page).toContain('gateway_function_invocation_total{function_name="f8.fn",code="200"} 1\n')
    expect(worker.lines.worker.sent.length - sentAtFirst).toBeLessThan(5)
  })

  it('tells the calls of each function over all workers and statuses', async () => {
    const supervisor = new SomeSupervisor()
    const [one, two] = [supervisor.worker(1), supervisor.worker(2)]
    one.cells.ended('a.fn', 200, 0.1)
    two.cells.ended('a.fn', 502, 0.1)
    two.cells.ended('b.fn', 200, 0.1)

    expect(await supervisor.merged.totals()).toEqual(new Map([['a.fn', 2], ['b.fn', 1]])) // prettier-ignore
  })

  it('leaves nothing listening on the line of a worker that has ended', () => {
    const supervisor = new SomeSupervisor()
    const { lines } = supervisor.worker(1)

    supervisor.merged.retire(1)

    expect(lines.supervisor.listeners).toBe(0)
  })
})
