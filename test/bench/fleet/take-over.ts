import { defaultSettings } from '../../../core/config/default-settings.ts'
import { eventually, pause } from '../../support/eventually.ts'
import { machineMs } from '../../support/machine-clock.ts'
import { BareCallers } from '../bare-callers.ts'
import type { ObservedCall } from '../cold-function.ts'
import { ColdProviderProcess } from '../cold-provider-process.ts'
import { median, percentile } from '../statistics.ts'
import { type Row, rounded, table } from '../table.ts'
import { Fleet } from './fleet.ts'

/** What to measure. */
export interface TakeOverPlan {
  readonly gateways: number
  readonly rounds: number
  readonly callersPerGateway: number
  /** Beyond the latest take-over, so that every round has one. */
  readonly readyAfterMs: number
}

/** What one round saw. */
interface TakeOver {
  /** From the kill to the first provider call of another gateway, milliseconds; NaN without one. */
  readonly tookMs: number
  readonly scales: number
  /** For each caller of the gateways that lived on: from readiness to the first byte of the answer. */
  readonly addedMs: readonly number[]
  /** Callers of the gateways that lived on who got no whole answer. */
  readonly failures: number
}

/** The time that a take-over may take beyond the lease. */
const graceMs = 200
const leaseTtlMs = defaultSettings.leaseTtl

/** Kills the gateway that wakes a function, again and again, at all moments between two renewals of its lease. */
export async function measureTakeOvers(plan: TakeOverPlan, redisUrl: string): Promise<string> {
  await using provider = await ColdProviderProcess.start()
  await using fleet = await Fleet.start({ size: plan.gateways, providerUrl: provider.url, redisUrl })
  const rounds: TakeOver[] = []
  for (let round = 0; round < plan.rounds; round += 1) {
    const leader = round % plan.gateways
    rounds.push(await takeOver(plan, { fleet, provider, round, leader }))
    await fleet.replace(leader)
  }
  return table(headings, [row(rounds)])
}

interface Round {
  readonly fleet: Fleet
  readonly provider: ColdProviderProcess
  readonly round: number
  readonly leader: number
}

async function takeOver(plan: TakeOverPlan, { fleet, provider, round, leader }: Round): Promise<TakeOver> {
  const name = `orphan-${round}`
  await provider.add({ name, replicas: 0, readyAfterMs: plan.readyAfterMs })
  using led = callersOf([fleet.urls[leader] ?? ''], plan)
  using others = callersOf(fleet.urls.toSpliced(leader, 1), plan)
  await Promise.all([led.connect(), others.connect()])

  // Who is called first leads: nobody else has a reason to.
  const lost = led.call(`/function/${name}`)
  await eventually('the scale call', async () => (await provider.calls(name)).some(({ kind }) => kind === 'scale'))
  const waiting = others.call(`/function/${name}`)
  await pause(killAfterMs(plan, round))
  const killedAtMs = machineMs()
  await fleet.kill(leader)

  const answers = await waiting
  await lost
  const calls = await provider.calls(name)
  const readyAtMs = await provider.readyAtMs(name)
  await provider.remove(name)
  const whole = answers.filter((one) => one.isWhole)
  return {
    tookMs: (nextCallAfter(killedAtMs, calls)?.atMs ?? Number.NaN) - killedAtMs,
    scales: calls.filter(({ kind }) => kind === 'scale').length,
    addedMs: whole.map((one) => one.firstByteMs - readyAtMs),
    failures: answers.length - whole.length,
  }
}

function callersOf(urls: readonly string[], plan: TakeOverPlan): BareCallers {
  return new BareCallers(urls, urls.length * plan.callersPerGateway)
}

/** Leases are renewed every third of their time: the kills are spread over one such pause. */
function killAfterMs({ rounds }: TakeOverPlan, round: number): number {
  return 50 + ((leaseTtlMs / 3) * round) / rounds
}

/** The first call over a connection of another gateway: what the killed one has sent may arrive after its end. */
function nextCallAfter(killedAtMs: number, calls: readonly ObservedCall[]): ObservedCall | undefined {
  const isLate = ({ atMs }: ObservedCall): boolean => atMs > killedAtMs
  const killed = new Set(calls.filter((one) => !isLate(one)).map(({ connection }) => connection))
  return calls.find((one) => isLate(one) && !killed.has(one.connection))
}

const headings = [
  'leaders killed',
  'take-overs',
  'lease ms',
  'take-over after ms: median',
  'max',
  `later than lease + ${graceMs} ms`,
  'scale calls: max',
  'added ms: median',
  'p99',
  'failures',
]

function row(rounds: readonly TakeOver[]): Row {
  const took = rounds.map((one) => one.tookMs).filter((ms) => !Number.isNaN(ms))
  const added = rounds.flatMap((one) => one.addedMs)
  return [
    rounds.length,
    took.length,
    leaseTtlMs,
    rounded(median(took)),
    rounded(Math.max(...took)),
    took.filter((ms) => ms > leaseTtlMs + graceMs).length,
    Math.max(...rounds.map((one) => one.scales)),
    rounded(median(added)),
    rounded(percentile(added, 0.99)),
    rounds.reduce((sum, one) => sum + one.failures, 0),
  ]
}
