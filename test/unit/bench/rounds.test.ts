import { describe, expect, it } from 'vitest'
import { inTurns, medianRatio } from '../../bench/rounds.ts'

const contenders = [{ name: 'a' }, { name: 'b' }, { name: 'c' }]

describe('inTurns', () => {
  it('samples each contender once a round, and has another one begin each time', async () => {
    const turns: string[] = []

    await inTurns(contenders, 3, async ({ name }, round) => turns.push(`${name}${round}`))

    expect(turns).toEqual(['a0', 'b0', 'c0', 'b1', 'c1', 'a1', 'c2', 'a2', 'b2'])
  })

  it('keeps the samples of a contender in the order of the rounds', async () => {
    const samples = await inTurns(contenders, 3, async ({ name }, round) => `${name}${round}`)

    expect(samples.get('b')).toEqual(['b0', 'b1', 'b2'])
  })
})

describe('medianRatio', () => {
  it('compares within a round, so that a slow round tells nothing', () => {
    expect(medianRatio([10, 100, 30], [20, 200, 15], (one) => one)).toBe(0.5)
  })

  it('is no number when nothing can be compared', () => {
    expect(medianRatio([1], [], (one) => one)).toBeNaN()
  })
})
