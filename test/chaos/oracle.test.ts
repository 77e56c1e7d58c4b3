import { describe, expect, it } from 'vitest'
import { rightAnswer, type CallRecord } from '../support/chaos-call.ts'
import type { ScaleDecision } from '../support/scale-decisions.ts'
import { isStated, judge, type Evidence } from './oracle.ts'

const names = ['cold-1', 'cold-2', 'cold-3'] as const

function call(id: number, changes: Partial<CallRecord> = {}): CallRecord {
  const name = changes.name ?? 'warm'
  return {
    id,
    name,
    via: 'balancer',
    method: 'GET',
    startMs: 1_000,
    endMs: 1_010,
    end: 'whole',
    status: 200,
    type: 'text/plain',
    body: rightAnswer(name, id),
    ...changes,
  }
}

function scaled(name: string, changes: Partial<ScaleDecision> = {}): ScaleDecision {
  return { name, fence: 10, replicas: 1, atMs: 1_000, isAccepted: true, isEffective: true, ...changes }
}

/** A run with nothing wrong, but for `changes`. */
function evidence(changes: Partial<Evidence> = {}): Evidence {
  return {
    title: 'a run',
    startMs: 0,
    calls: Array.from({ length: 120 }, (_, id) => call(id)),
    woken: names.map((name) => ({ name, calledMs: 1_000, readyMs: 1_100 })),
    scales: names.map((name) => scaled(name)),
    reached: new Map([[1, 1]]),
    records: { heard: 9, olderVersions: [], olderFences: [] },
    disturbed: [],
    excuses: [],
    decidedAlone: false,
    takeOvers: 0,
    ...changes,
  }
}

/** A run with one more call. */
function withCall(changes: Partial<CallRecord>, more: Partial<Evidence> = {}): Evidence {
  return evidence({ calls: [...evidence().calls, call(999, changes)], ...more })
}

const problem = { status: 503, type: 'application/problem+json', body: '{"code":"circuit_open"}' }

describe('the oracle', () => {
  it('finds nothing wrong with a good run, and tells it in one line', () => {
    const { violations, summary } = judge(withCall({ name: 'cold-1', startMs: 1_050, endMs: 1_350 }, { takeOvers: 2 }))

    expect(violations).toEqual([])
    expect(summary).toBe(
      'a run: 121 calls (200: 121); 3 wakes; 3 scale calls (0 refused); 2 take-overs; longest call 300 ms; ' +
        'longest wait after readiness 250 ms',
    )
  })

  it.each<[string, Evidence, RegExp]>([
    ['an answer that is another call’s', withCall({ body: rightAnswer('warm', 998) }), /GET 999 .* was answered 200/],
    ['a failure, stated as it may be', withCall(problem), /GET 999 .* was answered 503/],
    ['a call that was cut off', withCall({ end: 'broken' }), /GET 999 .* was cut off/],
    ['a call without an end', withCall({ end: 'none', status: 0 }), /GET 999 .* did not end/],
    [
      'a call without an end, even an excused one',
      withCall({ end: 'none', status: 0 }, { excuses: [{ why: 'any', covers: () => true }] }),
      /did not end/,
    ],
    ['a caller that was forgotten', withCall({ name: 'cold-1', endMs: 11_200 }), /10100 ms after readiness/],
    ['a POST that was repeated', evidence({ reached: new Map([[7, 2]]) }), /POST 7 reached its function 2 times/],
    [
      'an older fence that the provider took',
      evidence({ scales: [...names.map((name) => scaled(name)), scaled('warm'), scaled('warm', { fence: 9 })] }),
      /"warm" with fence 9 after 10/,
    ],
    [
      'a scale call without a fence',
      evidence({ scales: [...names.map((name) => scaled(name)), scaled('warm', { fence: undefined })] }),
      /"warm" was scaled without a fence/,
    ],
    [
      'a second scale call that nothing forced',
      evidence({ scales: [...names.map((name) => scaled(name)), scaled('cold-2', { isEffective: false })] }),
      /undisturbed wake of "cold-2" took 2 scale calls/,
    ],
    ['a wake that never scaled', evidence({ scales: [scaled('cold-1'), scaled('cold-2')] }), /"cold-3" .* 0 times/],
    [
      'a function that never became ready',
      evidence({ woken: names.map((name) => ({ name, calledMs: 1_000, readyMs: name === 'cold-1' ? 0 : 1_100 })) }),
      /"cold-1" never became ready/,
    ],
    [
      'a record that went back',
      evidence({ records: { heard: 1, olderVersions: ['version'], olderFences: [] }, decidedAlone: true }),
      /version/,
    ],
    [
      'a record written under an older fence',
      evidence({ records: { heard: 1, olderVersions: [], olderFences: ['fence'] } }),
      /fence/,
    ],
    ['a run without load', evidence({ calls: [call(1)] }), /only 1 calls/],
    ['a run without wakes', evidence({ woken: [], scales: [] }), /only 0 functions/],
    [
      'a run whose records nobody watched',
      evidence({ records: { heard: 0, olderVersions: [], olderFences: [] } }),
      /no/,
    ],
  ])('notices %s', (_, run, words) => {
    expect(judge(run).violations.join('\n')).toMatch(words)
  })

  it('allows what a fault forces: excused failures, counted by reason, and more scale calls while it lasts', () => {
    const { violations, summary } = judge(
      withCall(problem, {
        excuses: [{ why: 'callers of a dead gateway', covers: ({ id }) => id === 999 }],
        scales: [...names.map((name) => scaled(name)), scaled('cold-2', { isEffective: false, isAccepted: false })],
        disturbed: [{ fromMs: 1_050, untilMs: 1_060 }],
      }),
    )

    expect(violations).toEqual([])
    expect(summary).toContain(
      '(200: 120, 503: 1); excused: 1 callers of a dead gateway; 3 wakes; 4 scale calls (1 refused)',
    )
  })

  it('tells a few of many violations of a kind', () => {
    const calls = Array.from({ length: 120 }, (_, id) => call(id, { end: 'broken' }))

    expect(judge(evidence({ calls })).violations.at(-1)).toBe('... and 115 more like the last one')
  })

  it.each<[string, Partial<CallRecord>, boolean]>([
    ['a problem document with a known code', problem, true],
    ['the empty 502 of an upstream that failed', { status: 502, body: '' }, true],
    ['a 502 of the balancer', { status: 502, type: 'text/html', body: '<html>' }, false],
    ['a code that nobody knows', { ...problem, body: '{"code":"oops"}' }, false],
    ['a 503 that is no document', { ...problem, type: 'text/html', body: '<html>' }, false],
    ['half a document', { ...problem, end: 'broken' }, false],
    ['a 500', { ...problem, status: 500 }, false],
  ])('judges whether a failure is stated: %s', (_, changes, expected) => {
    expect(isStated(call(1, changes))).toBe(expected)
  })
})
