import { describe, expect, it } from 'vitest'
import { backoffDelayMs } from '#core'

const backoff = { firstMs: 100, maxMs: 1000, factor: 2, jitterRatio: 0.5 }

describe('backoffDelayMs', () => {
  it('grows by the factor up to the longest pause', () => {
    const pauses = [1, 2, 3, 4, 5, 6].map((attempt) => backoffDelayMs(backoff, attempt, () => 0))

    expect(pauses).toEqual([100, 200, 400, 800, 1000, 1000])
  })

  it('shortens each pause at random by no more than its share of jitter', () => {
    expect(backoffDelayMs(backoff, 1, () => 0.5)).toBe(75)
    expect(backoffDelayMs(backoff, 5, () => 1)).toBe(500)
  })

  it('stays at the longest pause however many attempts there were', () => {
    expect(backoffDelayMs(backoff, 5000, () => 0)).toBe(1000)
  })
})
