import { describe, expect, it } from 'vitest'
import { functionIdentity, type FunctionState } from '#core'
import { mergeListing } from '../../../../plugins/provider-client/merge-listing.ts'

const askedAtMs = 1_000_000

function state(changes: Partial<FunctionState>): FunctionState {
  return {
    identity: functionIdentity('echo', 'fn'),
    phase: 'ready',
    desired: 1,
    available: 1,
    min: 1,
    max: 5,
    fence: 0,
    observedAtMs: askedAtMs,
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: {},
    annotations: {},
    ...changes,
  }
}

const ready = state({})
const listedWaking = state({ phase: 'waking', desired: 3, available: 0 })
const listedZero = state({ phase: 'zero', desired: 0, available: 0 })
const before = askedAtMs - 1_000

function held(changes: Partial<FunctionState>): FunctionState {
  return state({ observedAtMs: before, ...changes })
}

const failed = held({ phase: 'failed', available: 0, reason: 'image', retryAtMs: askedAtMs + 5_000, failures: 3 })

describe('mergeListing', () => {
  it.each([
    { name: 'takes an unknown function over', previous: undefined, listed: listedZero, expected: listedZero },
    {
      name: 'takes a function over that was absent',
      previous: held({ phase: 'absent' }),
      listed: ready,
      expected: ready,
    },
    { name: 'stops a ready function that nobody wants', previous: held({}), listed: listedZero, expected: listedZero },
    {
      name: 'keeps a ready function ready when the list says nothing of available replicas',
      previous: held({ desired: 2, available: 2 }),
      listed: listedWaking,
      expected: { ...listedWaking, phase: 'ready', available: 2 },
    },
    {
      name: 'keeps no more available replicas than are wanted',
      previous: held({ desired: 8, available: 8 }),
      listed: listedWaking,
      expected: { ...listedWaking, phase: 'ready', available: 3 },
    },
    { name: 'makes a waking function ready', previous: held({ phase: 'waking' }), listed: ready, expected: ready },
    {
      name: 'keeps a function that has just begun to wake from being taken for stopped',
      previous: held({ phase: 'waking' }),
      listed: listedZero,
      expected: undefined,
    },
    {
      name: 'stops a function that has been waking for long',
      previous: held({ phase: 'waking', observedAtMs: askedAtMs - 20_000 }),
      listed: listedZero,
      expected: listedZero,
    },
    {
      name: 'keeps reason, time and count of a failure',
      previous: failed,
      listed: listedWaking,
      expected: { ...listedWaking, phase: 'failed', reason: 'image', retryAtMs: askedAtMs + 5_000, failures: 3 },
    },
    {
      name: 'keeps the count of failures beyond the time of the next try',
      previous: { ...failed, retryAtMs: before },
      listed: listedZero,
      expected: { ...listedZero, phase: 'failed', reason: 'image', retryAtMs: before, failures: 3 },
    },
    {
      name: "ends a failure that was the provider's own",
      previous: { ...failed, observedAtMs: 0 },
      listed: listedZero,
      expected: listedZero,
    },
    { name: 'ends a failure when a replica is available', previous: failed, listed: ready, expected: ready },
    {
      name: 'lets an observation stand that was made after the question',
      previous: held({ phase: 'waking', observedAtMs: askedAtMs + 1 }),
      listed: listedZero,
      expected: undefined,
    },
    {
      name: 'does not wait for a wall clock that jumped back by an hour',
      previous: held({ observedAtMs: askedAtMs + 3_600_000 }),
      listed: listedZero,
      expected: listedZero,
    },
  ])('$name', ({ previous, listed, expected }) => {
    expect(mergeListing(previous, { listed, redeployed: false })).toEqual(expected)
  })

  it('ends a failure when the function was deployed anew', () => {
    expect(mergeListing(failed, { listed: listedWaking, redeployed: true })).toEqual(listedWaking)
  })
})
