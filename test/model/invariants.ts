import { fromRecord } from '../../core/coordination/state-record.ts'
import { modelTimes, type SimulatedGateway, type Hold } from './simulated-gateway.ts'
import type { ScaleWrite, SimulatedProvider } from './simulated-provider.ts'
import type { Grant, WatchedRecords } from './watched-records.ts'
import { calmMs, functions, type World } from './world.ts'

/** What must hold of every run; the number is that of core/coordination/PROTOCOL.md. */
export type Invariant = 'I1' | 'I2' | 'I3' | 'I4' | 'I5'

/** A rule that a run has broken. */
export interface Violation {
  readonly invariant: Invariant
  readonly what: string
}

/** Endings that tell a caller nothing: no call may end with one. */
const senseless = new Set(['internal', 'lease_lost', 'lease_store_unavailable', '503'])
/** Timers of calls that wait may ring that late. */
const timerSlackMs = 1

/** Everything that a run which is over has broken, except for {@link directoriesAgree}. */
export function violations(world: World): readonly Violation[] {
  return [
    ...oneDecisionPerWake(world),
    ...staleFencesHaveNoEffect(world),
    ...nobodyIsForgotten(world),
    ...fencesGrow(world),
  ]
}

/**
 * I1: no lease is given out while another one is held; and a scale call that is accepted although another one of its epoch took
 * effect is a repetition of a call whose answer was lost, or was decided before that other one could be seen.
 */
function oneDecisionPerWake(world: World): readonly Violation[] {
  const { provider, records } = world
  const twice = records.grants.filter(({ wasHeld }) => wasHeld)
  const repeated = provider.writes.filter(({ outcome }) => outcome === 'repeated')
  return [
    ...twice.map(({ key, origin }) => broken('I1', `${origin} was given the lease of ${key} that another one held`)),
    ...repeated.flatMap((write) => {
      const first = firstOf(provider, write)
      if (first === undefined || isExcused(world, first, write)) return []
      return [broken('I1', `${describe(write)} although ${describe(first)} had taken effect`)]
    }),
  ]
}

function firstOf({ writes }: SimulatedProvider, { key, epoch }: ScaleWrite): ScaleWrite | undefined {
  return writes.find((one) => one.key === key && one.epoch === epoch && one.outcome === 'effective')
}

function isExcused(world: World, first: ScaleWrite, repeated: ScaleWrite): boolean {
  const never = Number.POSITIVE_INFINITY
  if (first.fence === repeated.fence && first.gateway === repeated.gateway) {
    return (first.acknowledgedMs ?? never) > repeated.sentMs
  }
  const grant = grantOf(world.records, repeated)
  // Without one, a gateway decided alone.
  if (grant === undefined || grantOf(world.records, first) === undefined) return true
  return (first.effectMs ?? never) >= grant.atMs
}

function grantOf({ grants }: WatchedRecords, { key, fence }: ScaleWrite): Grant | undefined {
  return grants.find((grant) => grant.key === key && grant.fence === fence)
}

/** I2: what was accepted, at the provider and in the record, never bears a smaller fence than what was known before. */
function staleFencesHaveNoEffect({ provider, records }: World): readonly Violation[] {
  const found: Violation[] = []
  for (const { key } of functions) {
    let highest = 0
    for (const write of provider.writes.filter((one) => one.key === key && one.outcome !== 'refused')) {
      if (write.fence < highest) found.push(broken('I2', `${describe(write)} although ${highest} had been seen`))
      highest = Math.max(highest, write.fence)
    }
  }
  for (const { key, fence, newest } of records.fencedWrites) {
    if (fence < newest) found.push(broken('I2', `the record of ${key} was written under ${fence} after ${newest}`))
  }
  return found
}

/** I3: every call ends, in time and with something that makes sense. */
function nobodyIsForgotten(world: World): readonly Violation[] {
  return world.gateways.flatMap((gateway) => [
    ...gateway.holds.flatMap((hold) => wrongHold(world, gateway, hold)),
    ...gateway.calls
      .filter(({ ending, hasLeft }) => ending !== undefined && !hasLeft && senseless.has(ending))
      .map(({ key, ending }) => broken('I3', `a call of ${key} at ${gateway.name} ended with ${ending}`)),
    ...world.lastCalls
      .filter((call) => call.gateway === gateway.name && call.ending !== 'served')
      .map(({ key, ending }) => broken('I3', `the last call of ${key} at ${gateway.name}: ${ending ?? 'waits'}`)),
  ])
}

function wrongHold({ calmFromMs }: World, gateway: SimulatedGateway, hold: Hold): readonly Violation[] {
  if (!gateway.isRunning) return []
  const { fromMs, untilMs = Number.POSITIVE_INFINITY, ending } = hold
  const name = `a call of ${hold.key} held at ${gateway.name}`
  const mostMs = modelTimes.hold + pausedMs(gateway, hold) + timerSlackMs
  if (untilMs - fromMs > mostMs) return [broken('I3', `${name} was held for ${untilMs - fromMs} ms`)]
  const isTimeout = ending === 'cold_start_timeout'
  if (isTimeout && untilMs - fromMs < modelTimes.hold - timerSlackMs) return [broken('I3', `${name} timed out early`)]
  const leastMs = Math.max(calmFromMs, fromMs)
  if (untilMs <= leastMs + calmMs) return []
  return [broken('I3', `${name} was still held ${calmMs} ms after the last fault`)]
}

function pausedMs({ pauses }: SimulatedGateway, { fromMs }: Hold): number {
  return pauses.filter(({ untilMs }) => untilMs > fromMs).reduce((sum, pause) => sum + pause.untilMs - pause.fromMs, 0)
}

/** I4: later leases have larger fences, until the store loses everything. */
function fencesGrow({ records }: World): readonly Violation[] {
  const newest = new Map<string, Grant>()
  return records.grants.flatMap((grant) => {
    const before = newest.get(grant.key)
    newest.set(grant.key, grant)
    if (before === undefined || before.life !== grant.life || before.fence < grant.fence) return []
    return [broken('I4', `the lease of ${grant.key} had fence ${before.fence}, and then ${grant.fence}`)]
  })
}

/** I5, to be asked while nothing happens: what each gateway that runs believes is what the store says. */
export function directoriesAgree(world: World): readonly Violation[] {
  return world.gateways
    .filter((gateway) => gateway.isRunning)
    .flatMap((gateway) =>
      functions.flatMap(({ key }) => {
        const { body, at } = world.records.at(key)
        const stored = body === undefined ? undefined : fromRecord(key, { body, ageMs: 0 }, at / 1000)
        const held = gateway.directory.get(key)
        if (stored?.phase === held?.phase && stored?.available === held?.available) return []
        return [broken('I5', `${gateway.name} takes ${key} for ${held?.phase}, the store for ${stored?.phase}`)]
      }),
    )
}

/** What holds besides when nothing goes wrong and no caller leaves: one scale call for each wake, and every call is served soon. */
export function blemishes({ provider, gateways }: World, mostMs: number): readonly Violation[] {
  const needless = provider.writes.filter(({ outcome }) => outcome !== 'effective')
  const calls = gateways.flatMap((gateway) => gateway.calls)
  const late = calls.filter((call) => call.ending !== 'served' || (call.endedMs ?? mostMs) - call.arrivedMs > mostMs)
  return [
    ...needless.map((write) => broken('I1', `${describe(write)} needlessly: ${write.outcome}`)),
    ...late.map(({ gateway, key, ending }) => broken('I3', `a call of ${key} at ${gateway} was late: ${ending}`)),
  ]
}

function describe({ gateway, key, fence, sentMs, arrivedMs }: ScaleWrite): string {
  return `${gateway} scaled ${key} under ${fence} (sent ${sentMs.toFixed(1)}, arrived ${arrivedMs.toFixed(1)})`
}

function broken(invariant: Invariant, what: string): Violation {
  return { invariant, what }
}
