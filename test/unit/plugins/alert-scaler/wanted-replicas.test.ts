import { describe, expect, it } from 'vitest'
import { wantedReplicas } from '../../../../plugins/alert-scaler/wanted-replicas.ts'

const defaults = { min: 1, max: 5, factor: 10 }

describe('wantedReplicas', () => {
  it.each([
    { name: 'adds one by default', current: 1, limits: {}, expected: 2 },
    { name: 'adds a share of the maximum, rounded up', current: 1, limits: { max: 12, factor: 20 }, expected: 4 },
    { name: 'rounds 29 percent of 100 to 29', current: 1, limits: { max: 100, factor: 29 }, expected: 30 },
    { name: 'goes to the maximum at once by 100 percent', current: 1, limits: { factor: 100 }, expected: 5 },
    { name: 'stops at the maximum', current: 5, limits: {}, expected: 5 },
    { name: 'has no ceiling but the label', current: 39, limits: { max: 40 }, expected: 40 },
    { name: 'never takes replicas away while firing', current: 9, limits: {}, expected: 9 },
    { name: 'takes a minimum above the maximum for the maximum', current: 7, limits: { min: 8 }, expected: 8 },
    { name: 'stays when the factor is 0', current: 3, limits: { factor: 0 }, expected: 3 },
    { name: 'starts a function at zero', current: 0, limits: {}, expected: 1 },
  ])('firing: $name', ({ current, limits, expected }) => {
    expect(wantedReplicas(current, { ...defaults, ...limits }, true)).toBe(expected)
  })

  it.each([
    { name: 'goes to the minimum', current: 5, limits: { min: 2 }, expected: 2 },
    { name: 'goes to 1 when the minimum is 0', current: 5, limits: { min: 0 }, expected: 1 },
    { name: 'stays when the factor is 0', current: 5, limits: { factor: 0 }, expected: 5 },
    { name: 'leaves a function at zero there', current: 0, limits: { min: 2 }, expected: 0 },
  ])('resolved: $name', ({ current, limits, expected }) => {
    expect(wantedReplicas(current, { ...defaults, ...limits }, false)).toBe(expected)
  })
})
