import { errorCodes } from '../../core/errors/codes.ts'
import { rightAnswer, type CallRecord } from '../support/chaos-call.ts'
import type { ScaleDecision } from '../support/scale-decisions.ts'

/** Part of a run, in instants of the machine's clock. */
export interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

/** Calls that may fail, and why nobody could have kept them from failing. */
export interface Excuse {
  readonly why: string
  covers(call: CallRecord): boolean
}

/** A function that was woken during a run. */
export interface WokenFunction {
  readonly name: string
  /** When it was called first. */
  readonly calledMs: number
  /** When it became ready; 0 if it never did. */
  readonly readyMs: number
}

/** All that is known of a run. */
export interface Evidence {
  readonly title: string
  /** When it began. */
  readonly startMs: number
  readonly calls: readonly CallRecord[]
  readonly woken: readonly WokenFunction[]
  /** Scale calls, in the order in which the provider decided on them. */
  readonly scales: readonly ScaleDecision[]
  /** How often each call that must not be repeated reached its function. */
  readonly reached: ReadonlyMap<number, number>
  /** What was heard of the gateways' shared records. */
  readonly records: {
    readonly heard: number
    readonly olderVersions: readonly string[]
    readonly olderFences: readonly string[]
  }
  /** When the fault was there, or a gateway decided alone because of it: a wake may need more than one scale call then. */
  readonly disturbed: readonly Span[]
  readonly excuses: readonly Excuse[]
  /**
   * Whether gateways decided without Redis and told the others afterwards: what such a gateway found under a fence of its own may
   * then be followed by what the holder of the lease finds under a lower one.
   */
  readonly decidedAlone: boolean
  /** Leases that were taken over from gateways that had gone silent. */
  readonly takeOvers: number
}

/** What the oracle says of a run. */
export interface Verdict {
  /** What must not have happened, in words; empty for a good run. */
  readonly violations: readonly string[]
  /** The run in one line. */
  readonly summary: string
}

/** Liveness bound for callers of a ready function. No performance figure: a lease and a slow poll are over in a quarter of it. */
const longestWaitMs = 10_000
/** A run with less than this proves nothing. */
const fewest = { calls: 100, woken: 3 }
/** Of a kind of violation, so many are told. */
const mostTold = 5

/** Judges a run by all rules. */
export function judge(evidence: Evidence): Verdict {
  const failed = evidence.calls.filter((call) => !isRight(call))
  const rules: readonly (readonly string[])[] = [
    substance(evidence),
    endless(evidence),
    unexcused(failed, evidence),
    lateAnswers(evidence),
    repeated(evidence),
    fenceOrder(evidence.scales),
    scaleCounts(evidence),
    evidence.records.olderVersions,
    evidence.decidedAlone ? [] : evidence.records.olderFences,
  ]
  return { violations: rules.flatMap((found) => shortened(found)), summary: summaryOf(evidence, failed) }
}

/** Whether a call got the answer of its function. */
export function isRight({ end, status, body, name, id }: CallRecord): boolean {
  return end === 'whole' && status === 200 && body === rightAnswer(name, id)
}

/** Whether a failure is one that a gateway states: a problem document with a known code, or the empty 502 of OpenFaaS. */
export function isStated({ end, status, type, body }: CallRecord): boolean {
  if (end !== 'whole') return false
  if (status === 502) return body === ''
  if ((status !== 503 && status !== 504) || !type.startsWith('application/problem+json')) return false
  return codeIn(body) in errorCodes
}

/** Whether a call was under way at any instant of a span. */
export function overlaps({ startMs, endMs }: CallRecord, { fromMs, untilMs }: Span): boolean {
  return startMs <= untilMs && endMs >= fromMs
}

function substance({ calls, woken, records }: Evidence): readonly string[] {
  return [
    ...(calls.length < fewest.calls ? [`only ${calls.length} calls were made`] : []),
    ...(woken.length < fewest.woken ? [`only ${woken.length} functions were woken`] : []),
    ...(records.heard === 0 ? ['no gateway published anything'] : []),
  ]
}

function endless(evidence: Evidence): readonly string[] {
  return evidence.calls.filter(({ end }) => end === 'none').map((call) => `${inWords(call, evidence)} did not end`)
}

/** A failure needs an excuse whether or not it was stated: the fault alone must not cost anybody a call. */
function unexcused(failed: readonly CallRecord[], evidence: Evidence): readonly string[] {
  return failed
    .filter((call) => call.end !== 'none' && !evidence.excuses.some((excuse) => excuse.covers(call)))
    .map((call) => {
      const answer = call.end === 'broken' ? 'was cut off' : `was answered ${call.status} "${call.body.slice(0, 200)}"`
      return `${inWords(call, evidence)} ${answer} after ${Math.round(call.endMs - call.startMs)} ms`
    })
}

function lateAnswers(evidence: Evidence): readonly string[] {
  return waitsAfterReadiness(evidence)
    .filter(({ waitMs }) => waitMs > longestWaitMs)
    .map(({ call, waitMs }) => `${inWords(call, evidence)} was answered ${Math.round(waitMs)} ms after readiness`)
}

function repeated({ reached }: Evidence): readonly string[] {
  return [...reached]
    .filter(([, times]) => times > 1)
    .map(([id, times]) => `POST ${id} reached its function ${times} times`)
}

function fenceOrder(scales: readonly ScaleDecision[]): readonly string[] {
  const newest = new Map<string, number>()
  return scales.flatMap(({ name, fence, isAccepted }) => {
    if (fence === undefined) return [`"${name}" was scaled without a fence`]
    const before = newest.get(name) ?? 0
    if (isAccepted) newest.set(name, Math.max(before, fence))
    return isAccepted && fence < before
      ? [`the provider took a scale call for "${name}" with fence ${fence} after ${before}`]
      : []
  })
}

/** One scale call per wake, when nothing forces another one. */
function scaleCounts({ woken, scales, disturbed }: Evidence): readonly string[] {
  return woken.flatMap(({ name, calledMs, readyMs }) => {
    const own = scales.filter((one) => one.name === name)
    const effective = own.filter(({ isEffective }) => isEffective).length
    if (effective !== 1) return [`"${name}" was scaled to effect ${effective} times`]
    if (readyMs === 0) return [`"${name}" never became ready`]
    const wasDisturbed = disturbed.some(({ fromMs, untilMs }) => calledMs <= untilMs && readyMs >= fromMs)
    return wasDisturbed || own.length === 1 ? [] : [`an undisturbed wake of "${name}" took ${own.length} scale calls`]
  })
}

function waitsAfterReadiness({
  calls,
  woken,
}: Evidence): readonly { readonly call: CallRecord; readonly waitMs: number }[] {
  const readyMs = new Map(woken.map((one) => [one.name, one.readyMs]))
  return calls.filter(isRight).flatMap((call) => {
    const ready = readyMs.get(call.name)
    return ready === undefined ? [] : [{ call, waitMs: call.endMs - Math.max(ready, call.startMs) }]
  })
}

function shortened(found: readonly string[]): readonly string[] {
  if (found.length <= mostTold) return found
  return [...found.slice(0, mostTold), `... and ${found.length - mostTold} more like the last one`]
}

function summaryOf(evidence: Evidence, failed: readonly CallRecord[]): string {
  const { title, calls, woken, scales, takeOvers, excuses } = evidence
  const waits = waitsAfterReadiness(evidence).map(({ waitMs }) => waitMs)
  const refused = scales.filter(({ isAccepted }) => !isAccepted).length
  const excused = excusedBy(failed, excuses)
  return [
    `${title}: ${calls.length} calls (${countsByAnswer(calls)})`,
    ...(excused.size === 0 ? [] : [`excused: ${[...excused].map(([why, count]) => `${count} ${why}`).join(', ')}`]),
    `${woken.length} wakes`,
    `${scales.length} scale calls (${refused} refused)`,
    `${takeOvers} take-overs`,
    `longest call ${longest(calls.filter(isRight).map(({ startMs, endMs }) => endMs - startMs))} ms`,
    `longest wait after readiness ${longest(waits)} ms`,
  ].join('; ')
}

/** How many failures each reason excuses; the first one counts that covers a call. */
function excusedBy(failed: readonly CallRecord[], excuses: readonly Excuse[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const call of failed) {
    const why = excuses.find((excuse) => excuse.covers(call))?.why
    if (why !== undefined) counts.set(why, (counts.get(why) ?? 0) + 1)
  }
  return counts
}

function longest(durationsMs: readonly number[]): number {
  return Math.round(durationsMs.reduce((most, one) => Math.max(most, one), 0))
}

function countsByAnswer(calls: readonly CallRecord[]): string {
  const counts = new Map<string, number>()
  for (const { end, status } of calls) {
    const answer = end === 'whole' ? String(status) : end
    counts.set(answer, (counts.get(answer) ?? 0) + 1)
  }
  return [...counts].map(([answer, count]) => `${answer}: ${count}`).join(', ')
}

function inWords(call: CallRecord, evidence: Evidence): string {
  const seconds = (call.startMs - evidence.startMs) / 1000
  return `${call.method} ${call.id} of "${call.name}" by ${call.via}, begun at ${seconds.toFixed(1)} s,`
}

function codeIn(body: string): string {
  try {
    return (JSON.parse(body) as { code: string }).code // a problem document, RFC 9457
  } catch {
    return ''
  }
}
