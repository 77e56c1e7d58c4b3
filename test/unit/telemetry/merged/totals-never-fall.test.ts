import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SomeSupervisor, type SomeWorker } from './some-workers.ts'

const places = [0, 1, 2]
const place = fc.constantFrom(...places)

/** What may happen to three workers. */
const step = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constant('call' as const), place, fc.constantFrom('a.fn', 'b.fn')) },
  { weight: 5, arbitrary: fc.tuple(fc.constant('scrape' as const), place) },
  fc.tuple(fc.constantFrom('kill' as const, 'replace' as const, 'stall' as const, 'resume' as const), place),
)

/** Three workers, each of which may be replaced by another one. */
class Run {
  readonly #supervisor = new SomeSupervisor()
  readonly #workers = new Map<number, { worker: SomeWorker; number: number }>()
  #lastNumber = 0
  called = 0
  /** Whether calls may have been lost with a process that had no time to report them. */
  mayHaveLost = false

  constructor() {
    for (const at of places) this.#start(at)
  }

  call(at: number, name: string): void {
    this.called += 1
    this.#workers.get(at)?.worker.cells.ended(name, 200, 0.1)
  }

  /** What a page says, by series. */
  async scrape(): Promise<ReadonlyMap<string, number>> {
    const page = this.#supervisor.page()
    await this.#supervisor.clock.advance(2_000)
    const lines = (await page).matchAll(/^(gateway_\w+\{[^}]*\}) (\S+)$/gm)
    return new Map(Array.from(lines, ([, series = '', count]) => [series, Number(count)]))
  }

  kill(at: number): void {
    this.mayHaveLost = true
    this.#end(at)
  }

  async replace(at: number): Promise<void> {
    const sentBefore = this.#workers.get(at)?.worker.lines.worker.sent.length
    const collected = this.#supervisor.merged.collectLast(this.#workers.get(at)?.number ?? 0)
    await this.#supervisor.clock.advance(2_000)
    await collected
    this.mayHaveLost ||= this.#workers.get(at)?.worker.lines.worker.sent.length === sentBefore
    this.#end(at)
  }

  stall(at: number): void {
    this.#workers.get(at)?.worker.lines.worker.stall()
  }

  resume(at: number): void {
    this.#workers.get(at)?.worker.lines.worker.resume()
  }

  #end(at: number): void {
    this.#workers.get(at)?.worker.lines.cut()
    this.#supervisor.merged.retire(this.#workers.get(at)?.number ?? 0)
    this.#start(at)
  }

  #start(at: number): void {
    const number = (this.#lastNumber += 1)
    this.#workers.set(at, { number, worker: this.#supervisor.worker(number, 'a', 'b') })
  }
}

const callsIn = (counts: ReadonlyMap<string, number>): number => {
  const ofCalls = [...counts].filter(([series]) => series.startsWith('gateway_function_invocation_total{'))
  return ofCalls.reduce((sum, [, count]) => sum + count, 0)
}

describe('the counts of all workers', () => {
  it('never fall, exceed no truth, and miss nothing but what died unreported, whatever happens to workers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const run = new Run()
        let before: ReadonlyMap<string, number> = new Map()
        for (const [action, at, name = ''] of steps) {
          if (action !== 'scrape') {
            await run[action](at, name)
            continue
          }
          const counts = await run.scrape()
          for (const [series, count] of before) expect(counts.get(series)).toBeGreaterThanOrEqual(count)
          expect(callsIn(counts)).toBeLessThanOrEqual(run.called)
          before = counts
        }
        for (const at of places) run.resume(at)
        await run.scrape()
        const counts = await run.scrape()
        if (!run.mayHaveLost) expect(callsIn(counts)).toBe(run.called)
      }),
      { numRuns: 60 },
    )
  })
})
