import { BareCallers } from '../bare-callers.ts'
import { ColdProviderProcess } from '../cold-provider-process.ts'
import { bursts, coldStart, type ColdStart, type ColdTarget, warmUps } from '../cold-rounds.ts'
import { median, percentile } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { Fleet } from './fleet.ts'

/** Cold starts of one delay. */
export interface DelayPlan {
  /** Milliseconds from the scale call until the function is ready. */
  readonly readyAfterMs: number
  /** Cold starts of a fleet, for each way to learn of readiness. */
  readonly rounds: number
}

/** What to measure. */
export interface FleetColdPlan {
  readonly gateways: number
  readonly callers: number
  readonly delays: readonly DelayPlan[]
  /** Cold starts of one gateway alone, for each delay, and bursts on a warm function. */
  readonly referenceRounds: number
}

/** How the callers' gateways learn of readiness, and how many there are. */
type Mode = 'polling' | 'push' | 'alone'

const modes: readonly Mode[] = ['polling', 'push', 'alone']

/** The cold starts of one mode and delay. */
interface Series extends Pick<Scheduled, 'mode' | 'readyAfterMs'> {
  readonly starts: ColdStart[]
}

/** One cold start; those of a negative round do not count. */
interface Scheduled {
  readonly round: number
  readonly mode: Mode
  readonly readyAfterMs: number
}

/** A fleet, or one gateway, with a provider and callers of its own. */
interface Site extends ColdTarget {
  readonly fleet: Fleet
}

/**
 * Sends all callers at once to a function at zero, spread over gateways that share a Redis, and counts what reaches the
 * provider; with readiness learnt by polling alone, and announced to one of the gateways. Beside them one gateway alone with
 * the same callers. All take turns, round after round.
 */
export async function measureFleetColdStarts(plan: FleetColdPlan, redisUrl: string): Promise<string> {
  await using provider = await ColdProviderProcess.start()
  await using fleet = await Fleet.start({ size: plan.gateways, providerUrl: provider.url, redisUrl })
  await using aloneProvider = await ColdProviderProcess.start()
  await using alone = await Fleet.start({ size: 1, providerUrl: aloneProvider.url, redisUrl: '' })
  using callers = new BareCallers(fleet.urls, plan.callers)
  using aloneCallers = new BareCallers(alone.urls, plan.callers)
  using directCallers = new BareCallers([provider.url], plan.callers)
  const together: Site = { fleet, provider, callers }
  const single: Site = { fleet: alone, provider: aloneProvider, callers: aloneCallers }

  const starts = await allStarts(plan, (mode) => (mode === 'alone' ? single : together))
  const checks = await checksOf(together, plan)
  const warm = {
    together: await bursts(together, plan.referenceRounds),
    alone: await bursts(single, plan.referenceRounds),
    direct: await bursts({ provider, callers: directCallers }, plan.referenceRounds),
  }
  return `${report(plan, starts, warm)}\n\n${checks}`
}

async function allStarts(plan: FleetColdPlan, siteOf: (mode: Mode) => Site): Promise<readonly Series[]> {
  const all = modes.flatMap((mode) =>
    plan.delays.map(({ readyAfterMs }): Series => ({ mode, readyAfterMs, starts: [] })),
  )
  for (const [number, { mode, readyAfterMs, round }] of scheduleOf(plan).entries()) {
    const site = siteOf(mode)
    // Each gateway is told in its turn.
    const announceTo = mode === 'push' ? site.fleet.urls.at(round % site.fleet.size) : undefined
    const start = await coldStart(site, { name: `cold-${number}`, readyAfterMs, announceTo })
    if (round >= 0) all.find((one) => one.mode === mode && one.readyAfterMs === readyAfterMs)?.starts.push(start)
  }
  return all
}

function scheduleOf({ delays, referenceRounds }: FleetColdPlan): readonly Scheduled[] {
  const rounds = Math.max(...delays.map((one) => one.rounds))
  const warmUp = Array.from({ length: warmUps }, (_, i) =>
    modes.map((mode): Scheduled => ({ round: i - warmUps, mode, readyAfterMs: 5 })),
  )
  const counting = Array.from({ length: rounds }, (_, round) =>
    delays.flatMap(({ readyAfterMs, rounds: most }) =>
      modes
        .filter((mode) => round < (mode === 'alone' ? Math.min(most, referenceRounds) : most))
        .map((mode): Scheduled => ({ round, mode, readyAfterMs })),
    ),
  )
  return [...warmUp, ...counting].flat()
}

/** Whole sums, so that no call falls between two rounds unseen. */
async function checksOf({ fleet, provider }: Site, { gateways, delays }: FleetColdPlan): Promise<string> {
  const { scale, conflict, announcement, refusal } = await provider.counts()
  const coldStarts = 2 * (warmUps + delays.reduce((sum, { rounds }) => sum + rounds, 0))
  const failures = await fleet.total('pilotlight_redis_failures_total')
  return [
    `All ${coldStarts} cold starts of the ${gateways} gateways, warm-ups included: ${scale} scale calls, ${conflict} of them conflicting;`,
    `${announcement} announcements, ${refusal} of them not accepted; ${failures} Redis commands failed.`,
  ].join(' ')
}

const headings = [
  'gateways, mode, ready after',
  'cold starts',
  'scale calls: min',
  'median',
  'max',
  'status calls',
  'added ms: median',
  'p99',
  'first caller',
  'last caller',
  'burst / added',
  'failures',
]

/** Bursts on a function that is ready. */
interface WarmBursts {
  readonly together: readonly ColdStart[]
  readonly alone: readonly ColdStart[]
  readonly direct: readonly ColdStart[]
}

function report({ gateways }: FleetColdPlan, all: readonly Series[], warm: WarmBursts): string {
  const cold = all.map(({ mode, readyAfterMs, starts }): Row => {
    const [name, burst] = mode === 'alone' ? ['1, polling', warm.alone] : [`${gateways}, ${mode}`, warm.together]
    return row(`${name}, ${readyAfterMs} ms`, starts, burst)
  })
  return table(headings, [
    ...cold,
    row(`${gateways}, already warm`, warm.together),
    row('1, already warm', warm.alone),
    row('0, already warm', warm.direct),
  ])
}

/** @param burst what the same callers take of themselves */
function row(name: string, starts: readonly ColdStart[], burst?: readonly ColdStart[]): Row {
  const added = starts.flatMap((one) => one.addedMs)
  const scales = starts.map((one) => one.calls['scale'] ?? 0)
  return [
    name,
    starts.length,
    Math.min(...scales),
    rounded(median(scales)),
    Math.max(...scales),
    rounded(median(starts.map((one) => one.calls['status'] ?? 0))),
    rounded(median(added)),
    rounded(percentile(added, 0.99)),
    rounded(median(starts.map((one) => Math.min(...one.addedMs)))),
    rounded(median(starts.map((one) => Math.max(...one.addedMs)))),
    burst === undefined ? '-' : rounded(median(burst.flatMap((one) => one.addedMs)) / median(added), 2),
    starts.reduce((sum, one) => sum + one.failures, 0),
  ]
}
