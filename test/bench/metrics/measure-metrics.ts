import { inTurns, medianOf, medianRatio, type Samples } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { bareName, record, recorders, type RecordingCost } from './recording.ts'
import { Scraped, type Scrape } from './scraped.ts'
import type { SeriesSet } from './series-set.ts'

/** How much to measure. */
export interface MetricsPlan {
  readonly rounds: number
  /** Calls recorded by each contender in a round. */
  readonly calls: number
  readonly set: SeriesSet
}

/** Rounds before those that count: what runs the first times is compiled meanwhile. */
const warmUpRounds = 3
const exporterName = 'OTel Prometheus exporter, plain'

/** Measures what recording calls costs, and what a scrape of many series does to the event loop; returns two tables. */
export async function measureMetrics(plan: MetricsPlan): Promise<string> {
  const { functions, codes } = plan.set
  return [
    `Recording: ${plan.calls} calls of 1000 functions, ${plan.rounds} interleaved rounds, medians\n`,
    await measureRecording(plan),
    `\nA scrape of ${functions} functions x ${codes} statuses and of the wakes of each, ${plan.rounds} interleaved rounds, medians\n`,
    await measureScrapes(plan),
  ].join('\n')
}

async function measureRecording({ rounds, calls }: MetricsPlan): Promise<string> {
  const contenders = recorders()
  for (let i = 0; i < warmUpRounds; i += 1) for (const one of contenders) record(one, calls)
  const samples = await inTurns(contenders, rounds, async (one) => record(one, calls))
  const bare = medianOf(samples.get(bareName) ?? [], (one) => one.nanoseconds)
  return table(
    ['recorder', 'ns/call', 'ns/call over the bare hub', 'bytes/call'],
    [...samples].map(([name, all]) => recordingRow(name, all, bare)),
  )
}

function recordingRow(name: string, all: readonly RecordingCost[], bare: number): Row {
  const nanoseconds = medianOf(all, (one) => one.nanoseconds)
  const bytes = medianOf(all, (one) => one.bytes)
  return [name, rounded(nanoseconds, 0), rounded(nanoseconds - bare, 0), rounded(bytes, 0)]
}

async function measureScrapes({ rounds, set }: MetricsPlan): Promise<string> {
  await using processes = new AsyncDisposableStack()
  const start = async (name: string, role: 'gateway' | 'exporter' | 'supervisor'): Promise<Scraped> =>
    processes.use(await Scraped.start(name, role))
  const contenders = [
    await start('pilotlight, one process', 'gateway'),
    await start('pilotlight, supervisor of 2 workers', 'supervisor'),
    await start(exporterName, 'exporter'),
  ]
  for (let i = 0; i < warmUpRounds; i += 1) for (const one of contenders) await one.scrape(set)
  return scrapeTable(await inTurns(contenders, rounds, (one) => one.scrape(set)))
}

function scrapeTable(samples: Samples<Scrape>): string {
  const plain = samples.get(exporterName) ?? []
  const rows = [...samples].map(([name, all]): Row => {
    return [
      name,
      rounded(medianOf(all, (one) => one.tookMs)),
      rounded(
        medianRatio(all, plain, (one) => one.tookMs),
        2,
      ),
      rounded(medianOf(all, (one) => one.ownMs)),
      rounded(medianOf(all, (one) => Math.max(...one.workersMs))),
      rounded(Math.max(...all.flatMap(({ ownMs, workersMs }) => [ownMs, ...workersMs]))),
      rounded(medianOf(all, (one) => one.bytes) / 1e6),
    ]
  })
  return table(
    [
      'scraped',
      'ms/scrape',
      `its ms / those of ${exporterName}`,
      'longest turn, CPU ms',
      'in its workers',
      'in all rounds',
      'MB/page',
    ],
    rows,
  )
}
