import { startRedis } from '../../support/redis-servers.ts'
import type { Say } from '../part.ts'
import { percentile, median } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { lagsOf, type ReadinessLag, readinessSteps, stepCosts } from './readiness-steps.ts'
import { type ReadinessResult, ReadinessSite } from './readiness-site.ts'

/** What to measure. */
export interface ReadinessPlan {
  readonly gateways: number
  /** For each gateway. */
  readonly callers: number
  /** Of each way to tell the gateways. */
  readonly rounds: number
  /** From the first call until the function accepts, milliseconds. Spread a little, so as not to meet one phase of a clock. */
  readonly acceptAfterMs: number
}

/** Whom sidecars tell: every gateway, or one of them (each in its turn), which tells the others through Redis. */
type Telling = 'all' | 'one'

/** What one way to tell the gateways showed. */
interface Series {
  readonly telling: Telling
  readonly lags: ReadinessLag[]
  /** Of each round: when the first gateway of all forwarded its first call, and when the first call was at the function. */
  readonly firstMs: { readonly forwarded: number; readonly arrived: number }[]
  failures: number
  missing: number
}

const tellings: readonly Telling[] = ['all', 'one']
/** Rounds that do not count: the first ones of a process wait for its code to be compiled. */
const warmUps = 6
const spreadMs = 23

/** Measures from the moment at which a function accepts to the first held call at it, for each gateway; returns two tables. */
export async function measureReadiness(plan: ReadinessPlan, say: Say): Promise<void> {
  const { gateways, callers, rounds } = plan
  say(
    `\n## Readiness: ${gateways} gateways share a Redis, ${callers} callers each hold at zero, ${rounds} rounds a way\n`,
  )
  await using redis = await startRedis()
  await using site = await ReadinessSite.start({ gateways, callers, redisUrl: redis.url })
  const all = tellings.map((telling): Series => ({ telling, lags: [], firstMs: [], failures: 0, missing: 0 }))
  for (let i = -warmUps; i < rounds * tellings.length; i += 1) {
    const series = all[(i + warmUps) % all.length]
    if (series === undefined) continue
    const result = await runRound(site, series.telling, i + warmUps, plan)
    if (i >= 0) take(series, result, site.hosts)
  }
  say(report(all))
  for (const series of all) say(`\n### ${nameOf(series.telling)}: the share of each step\n\n${stepTable(series.lags)}`)
}

function runRound(
  site: ReadinessSite,
  telling: Telling,
  number: number,
  plan: ReadinessPlan,
): Promise<ReadinessResult> {
  const turn = Math.floor(number / tellings.length)
  return site.round({
    name: `ready-${number}`,
    toldFirst: telling === 'all' ? undefined : turn % plan.gateways,
    acceptAfterMs: plan.acceptAfterMs + spreadMs * Math.random(),
  })
}

function take(series: Series, { stamps, failures }: ReadinessResult, hosts: readonly string[]): void {
  const lags = lagsOf(stamps, hosts)
  series.lags.push(...lags)
  if (lags.length > 0) {
    const forwarded = Math.min(...lags.map((one) => one.released))
    series.firstMs.push({ forwarded, arrived: Math.min(...lags.map((one) => one.arrived)) })
  }
  series.failures += failures
  series.missing += hosts.length - lags.length
}

function nameOf(telling: Telling): string {
  return telling === 'all' ? 'sidecar tells all gateways' : 'sidecar tells one gateway'
}

const headings = [
  'way, gateway',
  'gateways x rounds',
  'sidecar notices, ms: p50',
  'p99',
  'gateway told: p50',
  'p99',
  'first held call forwarded: p50',
  'p99',
  'at the function: p50',
  'p99',
  'max',
  'failures',
  'without all stamps',
]

function report(all: readonly Series[]): string {
  const rows = all.flatMap((series): Row[] => {
    const name = nameOf(series.telling)
    const rest = [series.failures, series.missing]
    const direct = series.lags.filter((one) => one.isDirect)
    const others = series.lags.filter((one) => !one.isDirect)
    const each = [row(`${name}, told by it`, direct, rest)]
    if (others.length > 0) each.push(row(`${name}, told by Redis`, others, ['', '']))
    return [...each, firstRow(`${name}, whoever is first`, series.firstMs)]
  })
  return table(headings, rows)
}

function row(name: string, lags: readonly ReadinessLag[], rest: Row): Row {
  const pair = (step: keyof ReadinessLag): string[] => {
    const values = lags.map((lag) => Number(lag[step]))
    return [rounded(median(values), 2), rounded(percentile(values, 0.99), 2)]
  }
  const most = rounded(Math.max(...lags.map((one) => one.arrived)), 2)
  return [
    name,
    lags.length,
    ...pair('noticed'),
    ...pair('told'),
    ...pair('released'),
    ...pair('arrived'),
    most,
    ...rest,
  ]
}

function firstRow(name: string, firsts: Series['firstMs']): Row {
  const shares = [0.5, 0.99]
  const forwarded = shares.map((share) =>
    rounded(
      percentile(
        firsts.map((one) => one.forwarded),
        share,
      ),
      2,
    ),
  )
  const arrivedMs = firsts.map((one) => one.arrived)
  const arrived = [...shares, 1].map((share) => rounded(percentile(arrivedMs, share), 2))
  return [name, firsts.length, '', '', '', '', ...forwarded, ...arrived, '', '']
}

const stepMeanings = {
  noticed: 'accepts -> the sidecar knows, begins its report',
  told: '-> the gateway knows',
  released: '-> the first held call is forwarded',
  arrived: '-> it is at the function',
} as const

function stepTable(lags: readonly ReadinessLag[]): string {
  const costs = stepCosts(lags)
  const rows = readinessSteps.map((step): Row => {
    const { p50, p99, shareRatio } = costs[step]
    return [stepMeanings[step], rounded(p50, 2), rounded(p99, 2), rounded(100 * shareRatio, 0)]
  })
  return table(['step', 'ms: p50', 'p99', 'share of the time, %'], rows)
}
