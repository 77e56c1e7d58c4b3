import { describe, expect, it } from 'vitest'
import { pollPauseMs } from '../../../../plugins/scale-from-zero/poll-schedule.ts'

const options = { pollFirst: 10, pollGrowthRatio: 0.03, pollMax: 500, maxPollsPerSecond: 2000 }

describe('pollPauseMs', () => {
  it.each([
    [0, 10],
    [300, 10],
    [1_000, 30],
    [10_000, 300],
    [60_000, 500],
  ])('after %d ms is %d ms', (elapsedMs, pauseMs) => {
    expect(pollPauseMs(options, { elapsedMs, wakes: 1 }, () => 0)).toBe(pauseMs)
  })

  it.each([
    [20, 10],
    [100, 50],
    [2_000, 1_000],
  ])('is shared out among %d wakes at once: %d ms', (wakes, pauseMs) => {
    expect(pollPauseMs(options, { elapsedMs: 0, wakes }, () => 0)).toBe(pauseMs)
  })

  it('is shortened at random by up to a tenth', () => {
    expect(pollPauseMs(options, { elapsedMs: 10_000, wakes: 1 }, () => 1)).toBe(270)
  })

  it('never costs more than its share of a cold start beyond the first pause', () => {
    for (let readyMs = 1; readyMs < 15_000; readyMs += 7) {
      let askedMs = 0
      while (askedMs < readyMs) askedMs += pollPauseMs(options, { elapsedMs: askedMs, wakes: 1 }, () => 0)
      expect(askedMs - readyMs).toBeLessThanOrEqual(Math.max(10, 0.03 * readyMs))
    }
  })
})
