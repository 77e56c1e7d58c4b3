import { describe, expect, it } from 'vitest'
import { coldShares, splitOf } from '../../../bench/sidecar/cold-steps.ts'

const stamps = [
  { event: 'scale', subject: 'shell', atMs: 10 },
  { event: 'scale', subject: 'shell', atMs: 102 },
  { event: 'spawned', subject: '', atMs: 110 },
  { event: 'spawned', subject: '', atMs: 190 },
  { event: 'serving', subject: 'shell', atMs: 170 },
  { event: 'told', subject: 'shell', atMs: 172 },
  { event: 'released', subject: 'shell', atMs: 173 },
]

describe('splitOf', () => {
  it('takes the first of each kind from the call on, and counts each step from the one before', () => {
    expect(splitOf({ sentAtMs: 100, answeredAtMs: 180 }, stamps)).toEqual({
      scale: 2,
      spawned: 8,
      serving: 60,
      told: 2,
      released: 1,
      answered: 7,
    })
  })

  it('is no number where a step was not seen', () => {
    const { told, released } = splitOf({ sentAtMs: 100, answeredAtMs: 180 }, stamps.slice(0, 5))

    expect(told).toBeNaN()
    expect(released).toBeNaN()
  })
})

describe('coldShares', () => {
  it('gives each step the share of its median in all medians', () => {
    const shares = coldShares([splitOf({ sentAtMs: 100, answeredAtMs: 180 }, stamps)])

    expect(shares.find(({ step }) => step === 'serving')).toEqual({
      step: 'serving',
      medianMs: 60,
      maxMs: 60,
      shareRatio: 0.75,
    })
  })
})
