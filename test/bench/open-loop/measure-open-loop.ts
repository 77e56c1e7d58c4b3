import { burst } from '../burst.ts'
import { type Contender, gatewayName } from '../contender.ts'
import { LineUp, undiciName } from '../line-up.ts'
import { functionName } from '../many-functions.ts'
import type { Say } from '../part.ts'
import { treeCpuMs } from '../process-usage.ts'
import { inTurns, medianOf, medianRatio, type Samples, totalOf } from '../rounds.ts'
import { type Row, rounded, table } from '../table.ts'
import { openLoad } from './open-load.ts'
import type { OpenLoadResult } from './plan.ts'
import { pageOf, type Scrape, Scraper, seriesValues } from './scraper.ts'
import { statuses, warmSeries } from './warm-series.ts'

/** How long and how often to measure. */
export interface OpenLoopPlan {
  readonly rounds: number
  readonly seconds: number
  readonly connections: number
  /** Share of what bare undici can take. */
  readonly rateRatio: number
  readonly functions: number
  readonly scrapeEveryMs: number
}

interface Sample extends OpenLoadResult {
  readonly cpuUs: number
  readonly scrapes: readonly Scrape[]
  /** Longest event-loop lag that the gateway's own metrics show; NaN for others. */
  readonly lagMs: number
}

const warmUpSeconds = 1

/** Calls all contenders at one fixed rate while the gateway, which knows and has called many functions, is scraped. */
export async function measureOpenLoop(plan: OpenLoopPlan, say: Say): Promise<void> {
  const { connections, functions, scrapeEveryMs, rounds, seconds, rateRatio } = plan
  say(
    `\n## Fixed rate: ${connections} connections, ${rounds} interleaved rounds of ${seconds} s; ${functions} functions called with ${statuses.length} codes each, the gateway scraped every ${scrapeEveryMs} ms\n`,
  )
  const names = [gatewayName, undiciName, 'http-proxy, bare', 'nginx'] as const
  await using lineUp = await LineUp.start({ names, upstreamEnv: { FUNCTIONS: String(functions) } })
  await warmSeries(lineUp.gateway.url, functions)
  const perSecond = Math.floor(rateRatio * (await saturation(lineUp, connections)))
  say(`${perSecond} calls a second: ${rateRatio} of what ${undiciName} takes at most\n`)
  const samples = await inTurns(lineUp.contenders, rounds, (one) => sample(one, lineUp, { ...plan, perSecond }))
  say(report(samples))
  for (const note of lineUp.notes) say(`\n${note}`)
  say(`\n${scrapeNote(samples.get(gatewayName) ?? [])}`)
}

/** Requests a second that bare undici takes with all connections busy. All contenders are warmed up by the way. */
async function saturation({ contenders }: LineUp, connections: number): Promise<number> {
  const shape = { connections, seconds: 2 }
  for (const one of contenders) await burst(one, '/function/echo', shape)
  const undici = contenders.find(({ name }) => name === undiciName)
  return undici === undefined ? Number.NaN : (await burst(undici, '/function/echo', shape)).perSecond
}

async function sample(
  contender: Contender,
  { gateway }: LineUp,
  plan: OpenLoopPlan & { readonly perSecond: number },
): Promise<Sample> {
  const { seconds, connections, perSecond, functions, scrapeEveryMs } = plan
  const isGateway = contender.name === gatewayName
  using scraper = new Scraper(`${gateway.metricsUrl}/metrics`)
  // What the metrics say is since the last scrape: this one is for what was before.
  if (isGateway) await scraper.scrape()
  const before = treeCpuMs(contender.pid)
  if (isGateway) scraper.start(scrapeEveryMs)
  const paths = Array.from({ length: functions }, (_, i) => `/function/${functionName(i)}`)
  const result = await openLoad({ url: contender.url, connections, perSecond, seconds, warmUpSeconds, paths })
  const usedMs = treeCpuMs(contender.pid) - before
  if (isGateway) await scraper.scrape()
  const scrapes = scraper.stop().slice(1)
  const lagsMs = scrapes.flatMap((one) => seriesValues(pageOf(one), 'nodejs_eventloop_lag_max_seconds'))
  return {
    ...result,
    cpuUs: (usedMs * 1000) / (perSecond * seconds),
    scrapes,
    lagMs: lagsMs.length === 0 ? Number.NaN : Math.max(...lagsMs) * 1000,
  }
}

const headings = [
  'contender',
  'p50 us',
  'p99 us',
  'p99.9 us',
  'max us',
  `p99 / that of ${undiciName}`,
  'CPU us/request',
  'event-loop lag, max ms',
  'generator late: p50 us',
  'p99 us',
  'failures',
]

function report(samples: Samples<Sample>): string {
  const reference = samples.get(undiciName) ?? []
  const rows = [...samples].map(([name, all]): Row => {
    const whole = (pick: (one: Sample) => number): string => rounded(medianOf(all, pick), 0)
    return [
      name,
      whole((one) => one.p50Us),
      whole((one) => one.p99Us),
      whole((one) => one.p999Us),
      whole((one) => one.maxUs),
      rounded(
        medianRatio(all, reference, (one) => one.p99Us),
        2,
      ),
      rounded(medianOf(all, (one) => one.cpuUs)),
      rounded(medianOf(all, (one) => one.lagMs)),
      whole((one) => one.lateP50Us),
      whole((one) => one.lateP99Us),
      totalOf(all, (one) => one.failures),
    ]
  })
  return table(headings, rows)
}

function scrapeNote(samples: readonly Sample[]): string {
  const scrapes = samples.flatMap((one) => one.scrapes)
  const zipped = scrapes.filter((one) => one.isZipped).length
  const kilobytes = medianOf(scrapes, (one) => one.bytes.length / 1000)
  const lines = medianOf(scrapes.slice(-1), (one) => pageOf(one).split('\n').length)
  const longest = rounded(Math.max(...samples.map((one) => one.lagMs)))
  return `${scrapes.length} scrapes under load: ${rounded(kilobytes, 0)} kB each, ${zipped} of them zipped, ${lines} lines, ${rounded(
    medianOf(scrapes, (one) => one.tookMs),
    0,
  )} ms to get one; longest event-loop lag of all rounds: ${longest} ms`
}
