import { describe, expect, it } from 'vitest'
import { functionIdentity, scaleLimits, stateFromStatus } from '#core'
import { FakeLogger } from '../../support/fake-logger.ts'

const identity = functionIdentity('echo', 'fn')

describe('stateFromStatus', () => {
  it.each([
    { status: { replicas: 2, availableReplicas: 1 }, phase: 'ready', desired: 2, available: 1 },
    { status: { replicas: 2 }, phase: 'waking', desired: 2, available: 0 },
    { status: { replicas: 2, availableReplicas: 0 }, phase: 'waking', desired: 2, available: 0 },
    { status: {}, phase: 'zero', desired: 0, available: 0 },
    { status: { replicas: 0, availableReplicas: 1 }, phase: 'zero', desired: 0, available: 1 },
    { status: { availableReplicas: 3 }, phase: 'ready', desired: 3, available: 3 },
  ])('takes $status for $phase', ({ status, ...expected }) => {
    expect(stateFromStatus(identity, { name: 'echo', ...status }, { observedAtMs: 7 })).toMatchObject(expected)
  })

  it('keeps identity, time, fence, labels and annotations', () => {
    const labels = { 'com.openfaas.scale.min': '2', 'com.openfaas.scale.max': '20' }

    const state = stateFromStatus(
      identity,
      { name: 'echo', labels, annotations: { topic: 't' } },
      { observedAtMs: 7, fence: 9 },
    )

    expect(state).toMatchObject({
      identity,
      observedAtMs: 7,
      fence: 9,
      min: 2,
      max: 20,
      labels,
      annotations: { topic: 't' },
    })
  })

  it('takes labels that are null for none', () => {
    const state = stateFromStatus(identity, { name: 'echo', labels: null, annotations: null }, { observedAtMs: 7 })

    expect(state).toMatchObject({ min: 1, max: 5, fence: 0, labels: {}, annotations: {} })
  })
})

describe('scaleLimits', () => {
  it.each([
    ['nothing', {}, { min: 1, max: 5, factor: 10 }],
    ['numbers', { min: '0', max: '40', factor: '100' }, { min: 0, max: 40, factor: 100 }],
    ['a factor of 0', { factor: '0' }, { min: 1, max: 5, factor: 0 }],
    ['negative values', { min: '-1', max: '-5', factor: '-10' }, { min: 1, max: 5, factor: 10 }],
    ['words', { min: 'one', max: '1e3', factor: '10%' }, { min: 1, max: 5, factor: 10 }],
    ['values out of range', { min: '99999999999999999999', max: '0', factor: '101' }, { min: 1, max: 5, factor: 10 }],
  ])('reads %s', (_case, values, expected) => {
    const labels = Object.fromEntries(
      Object.entries(values).map(([key, value]) => [`com.openfaas.scale.${key}`, value]),
    )

    expect(scaleLimits(labels)).toEqual(expected)
  })

  it('says at level debug what it ignored', () => {
    const log = new FakeLogger()

    scaleLimits({ 'com.openfaas.scale.max': 'many' }, log)

    expect(log.lines).toMatchObject([
      { level: 'debug', fields: { label: 'com.openfaas.scale.max', value: 'many', used: 5 } },
    ])
  })
})
