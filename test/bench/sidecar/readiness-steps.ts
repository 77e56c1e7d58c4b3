import { median, percentile } from '../statistics.ts'
import type { SeenByFunction } from './scripted-function-process.ts'
import type { Stamp } from './stamps.ts'

/** What was seen of one round. */
export interface RoundStamps {
  readonly seen: SeenByFunction
  /** Of the sidecar. */
  readonly sidecar: readonly Stamp[]
  /** Of each gateway, in the order of their numbers: those about the function of the round. */
  readonly gateways: readonly (readonly Stamp[])[]
  /** Number of the gateway that the sidecar reports to; undefined when it reports to all. */
  readonly toldFirst: number | undefined
}

/** How readiness got to one gateway. Milliseconds from the moment at which the function accepted. */
export interface ReadinessLag {
  /** Whether the sidecar told it, or another gateway. */
  readonly isDirect: boolean
  /** The sidecar knows, and begins to send the report. */
  readonly noticed: number
  /** The gateway knows. */
  readonly told: number
  /** The first held call has left what held it. */
  readonly released: number
  /** The first held call is at the function. */
  readonly arrived: number
}

/** The instants of a lag in their order. */
export const readinessSteps = ['noticed', 'told', 'released', 'arrived'] as const

/** Reads the lag of each gateway; nothing for one that misses a step. @param hosts `host:port` of each gateway */
export function lagsOf(round: RoundStamps, hosts: readonly string[]): readonly ReadinessLag[] {
  const { acceptedAtMs, arrivedAtMs } = round.seen
  return round.gateways.flatMap((stamps, number) => {
    const isDirect = round.toldFirst === undefined || round.toldFirst === number
    const told = firstAfter(stamps, 'told', acceptedAtMs)
    const released = firstAfter(stamps, 'released', acceptedAtMs)
    const arrived = arrivedAtMs[String(number)] ?? Number.NaN
    const reporter = hosts[round.toldFirst ?? number] ?? ''
    const noticed = lastBefore(
      round.sidecar.filter(({ subject }) => subject === reporter),
      told,
    )
    const instants = { noticed, told, released, arrived }
    const lags = Object.entries(instants).map(([step, atMs]) => [step, atMs - acceptedAtMs])
    const lag = { isDirect, ...Object.fromEntries(lags) } as ReadinessLag // the same names
    return readinessSteps.every((step) => Number.isFinite(lag[step])) ? [lag] : []
  })
}

/** What one step took, over many lags, in milliseconds. */
export interface StepCost {
  readonly p50: number
  readonly p99: number
  /** Of the time of all steps together, 0 to 1. */
  readonly shareRatio: number
}

/** What the steps took, each from the end of the one before it. */
export function stepCosts(lags: readonly ReadinessLag[]): Readonly<Record<(typeof readinessSteps)[number], StepCost>> {
  const total = lags.reduce((sum, lag) => sum + lag.arrived, 0)
  const costs = readinessSteps.map((step, at) => {
    const before = readinessSteps[at - 1]
    const took = lags.map((lag) => lag[step] - (before === undefined ? 0 : lag[before]))
    const shareRatio = took.reduce((sum, one) => sum + one, 0) / total
    return [step, { p50: median(took), p99: percentile(took, 0.99), shareRatio }] as const
  })
  return Object.fromEntries(costs) as Record<(typeof readinessSteps)[number], StepCost> // one for each step
}

function firstAfter(stamps: readonly Stamp[], event: string, fromMs: number): number {
  return stamps.find((one) => one.event === event && one.atMs >= fromMs)?.atMs ?? Number.NaN
}

/** The report that told the gateway is the last one that was begun before it knew. */
function lastBefore(stamps: readonly Stamp[], untilMs: number): number {
  return stamps.findLast((one) => one.event === 'sent' && one.atMs <= untilMs)?.atMs ?? Number.NaN
}
