import { describe, expect, it } from 'vitest'
import { keepRunning } from '../../../core/processes/keep-running.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('keepRunning', () => {
  it('pauses longer after each failure in a row, and briefly again after a long run', async () => {
    const clock = new FakeClock()
    const stopping = new AbortController()
    const problems: string[] = []
    const runsMs = [0, 0, 0, 10_001, 0]
    const startedMs: number[] = []
    const runOnce = async (): Promise<string> => {
      startedMs.push(clock.monotonicMs())
      await clock.sleep(runsMs[startedMs.length - 1] ?? 0)
      return 'it ended'
    }
    const options = {
      clock,
      random: () => 0.5,
      signal: stopping.signal,
      onProblem: (one: string) => problems.push(one),
    }
    const running = keepRunning(runOnce, options)

    await clock.advance(11_500)
    stopping.abort()
    await running

    const pauses = problems.map((problem) =>
      /failure (\d+), next start in (\d+) ms/.exec(problem)?.slice(1).map(Number),
    )
    expect(pauses.slice(0, 4)).toEqual([
      [1, expect.any(Number)],
      [2, expect.any(Number)],
      [3, expect.any(Number)],
      [1, pauses[0]?.[1]],
    ])
    expect((pauses[2]?.[1] ?? 0) / (pauses[0]?.[1] ?? 1)).toBeCloseTo(4, 1)
    expect(startedMs.length).toBeGreaterThanOrEqual(5)
    expect(clock.pending).toBe(0)
  })

  it('is over with what runs when it is told to end', async () => {
    const clock = new FakeClock()
    const stopping = new AbortController()
    const problems: string[] = []
    const ended = Promise.withResolvers<string>()
    const running = keepRunning(() => ended.promise, {
      clock,
      random: () => 0.5,
      signal: stopping.signal,
      onProblem: (one) => problems.push(one),
    })

    stopping.abort()
    ended.resolve('it was stopped')
    await running

    expect(problems).toEqual([])
  })
})
