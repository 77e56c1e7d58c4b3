import { describe, expect, it } from 'vitest'
import { MetricsReporter } from '../../../../core/telemetry/merged/metrics-reporter.ts'
import type { SeriesMessage } from '../../../../core/telemetry/merged/series-message.ts'
import { SomeSupervisor, type SomeWorker } from './some-workers.ts'

function slicesOf(worker: SomeWorker) {
  const messages = worker.lines.worker.sent.filter(({ topic }) => topic === 'metrics:series')
  return messages.flatMap(({ message }) => (message as SeriesMessage).slice ?? []) // what a reporter sends there
}

describe('MetricsReporter', () => {
  it('sends many series in messages of bounded size, and lets other work have its turn between them', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    for (let i = 0; i < 5_000; i += 1) worker.cells.ended(`f${i}.fn`, 200, 0.1)
    let turns = 0
    const count = (): void => {
      turns += 1
      handle = setImmediate(count)
    }
    let handle = setImmediate(count)

    await supervisor.page()
    clearImmediate(handle)

    const slices = slicesOf(worker)
    expect(slices.reduce((sum, { labels }) => sum + labels.length, 0)).toBe(10_000)
    expect(Math.max(...slices.map(({ labels }) => labels.length))).toBeLessThanOrEqual(500)
    expect(Math.max(...slices.map(({ values }) => values.length))).toBeLessThan(4_100)
    expect(turns).toBeGreaterThanOrEqual(slices.length)
  })

  it('reports on, although one report failed', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)
    worker.cells.ended('a.fn', 200, 0.1)
    let isBroken = true
    const metrics = {
      read: async () => {
        if (isBroken) throw new Error('cannot be read')
        return worker.metrics.read()
      },
    }
    worker.reporter[Symbol.dispose]()
    using _reporter = new MetricsReporter({ metrics, line: worker.lines.worker })
    const failed = await supervisor.page()
    isBroken = false

    expect(failed).toBe('')
    expect(await supervisor.series('gateway_function_invocation_total')).toHaveLength(1)
  })

  it('answers no more once it is closed', async () => {
    const supervisor = new SomeSupervisor()
    const worker = supervisor.worker(1)

    worker.reporter[Symbol.dispose]()
    const page = supervisor.page()
    await supervisor.clock.advance(2_000)

    expect(await page).toBe('')
    expect(worker.lines.worker.listeners).toBe(0)
  })
})
