import { fork, type ChildProcess } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { MergedMetrics } from '../../../core/telemetry/merged/merged-metrics.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ProcessMetrics } from '../../../core/telemetry/process-metrics.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { metricValue } from '../../support/metrics-page.ts'
import { promtool } from './promtool.ts'

guardAgainstLeaks()

const script = fileURLToPath(new URL('reporting-worker.ts', import.meta.url))

/** A process that reports to its supervisor, which is this one. */
class ReportingProcess implements AsyncDisposable {
  readonly process: ChildProcess
  readonly line: ProcessLine
  readonly #exited: Promise<unknown>

  constructor(functions: number) {
    this.process = fork(script, [String(functions)], { serialization: 'advanced' })
    killOnExit(this.process)
    this.line = new ProcessLine(this.process)
    this.#exited = new Promise((resolve) => this.process.once('exit', resolve))
  }

  /** Resolves once it has counted what it was told to. */
  counted(): Promise<void> {
    return new Promise((resolve) => {
      const listening = this.line.receive('counted', () => {
        listening[Symbol.dispose]()
        resolve()
      })
    })
  }

  async count(): Promise<void> {
    const counted = this.counted()
    this.line.send('count', undefined)
    await counted
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.process.kill('SIGKILL')
    await this.#exited
  }
}

async function start(merged: MergedMetrics, worker: number, functions = 0): Promise<ReportingProcess> {
  const one = new ReportingProcess(functions)
  await one.counted()
  merged.add(worker, one.line)
  return one
}

function setUp() {
  const [clock, log] = [new SystemClock(), new FakeLogger()]
  const own = new Metrics({ clock, log })
  const merged = new MergedMetrics({ own, clock, log })
  return { own, log, merged, page: async () => Buffer.concat([...(await merged.page())]).toString() }
}

const total = 'gateway_function_invocation_total'

describe('the metrics of several processes', () => {
  it('are one page, which promtool accepts', async () => {
    const { own, merged, page } = setUp()
    using _measured = new ProcessMetrics({ meter: own.meter, version: '1.0.0' })
    await using one = await start(merged, 1, 1)
    await using two = await start(merged, 2, 2)
    await one.count()
    await two.count()

    const text = await page()

    expect(metricValue(text, total, { function_name: 'again.fn', code: '200' })).toBe(2)
    expect(metricValue(text, total, { function_name: 'f0.fn' })).toBe(2)
    expect(metricValue(text, total, { function_name: 'f1.fn' })).toBe(1)
    for (const worker of ['0', '1', '2'])
      expect(metricValue(text, 'process_resident_memory_bytes', { worker })).toBeGreaterThan(1e6)
    expect(text.match(/^pilotlight_build_info/gm)).toHaveLength(1)
    expect((await promtool(Buffer.from(text))).said).toEqual([
      'gateway_function_invocation_started counter metrics should have "_total" suffix',
    ])
  })

  it('keep what a stopped process said last, and count once what it says when it goes on', async () => {
    const { merged, page } = setUp()
    await using worker = await start(merged, 1)
    await worker.count()
    await page()
    await worker.count()

    worker.process.kill('SIGSTOP')
    const meanwhile = await page()
    worker.process.kill('SIGCONT')
    await page()
    const afterwards = await page()

    expect(metricValue(meanwhile, total)).toBe(1)
    expect(metricValue(afterwards, total)).toBe(2)
  })

  it('keep what a process counted that was killed inside its report, and never fall', async () => {
    const { merged, page, log } = setUp()
    await using worker = await start(merged, 1, 15_000)
    await worker.count()
    const messages = Promise.withResolvers<void>()
    let heard = 0
    worker.process.on('message', () => {
      heard += 1
      if (heard === 5) messages.resolve()
    })

    const dying = page()
    await messages.promise
    worker.process.kill('SIGKILL')
    const first = await dying
    merged.retire(1)
    const second = await page()

    expect(metricValue(first, total, { function_name: 'f0.fn' })).toBe(1)
    expect(first).not.toContain('process_open_fds')
    expect(second).toBe(first)
    expect(log.messages('warn')).toEqual([])
  })
})
