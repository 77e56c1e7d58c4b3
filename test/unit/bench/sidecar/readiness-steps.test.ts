import { describe, expect, it } from 'vitest'
import { lagsOf, type RoundStamps, stepCosts } from '../../../bench/sidecar/readiness-steps.ts'
import type { Stamp } from '../../../bench/sidecar/stamps.ts'

const hosts = ['127.0.0.1:1', '127.0.0.1:2']

function stamp(event: string, atMs: number, subject = 'resize'): Stamp {
  return { event, subject, atMs }
}

function round(changes: Partial<RoundStamps> = {}): RoundStamps {
  return {
    seen: { acceptedAtMs: 100, arrivedAtMs: { 0: 106, 1: 109 } },
    sidecar: [stamp('sent', 50, '127.0.0.1:1'), stamp('sent', 102, '127.0.0.1:1'), stamp('sent', 103, '127.0.0.1:2')],
    gateways: [
      [stamp('released', 90), stamp('told', 104), stamp('released', 105)],
      [stamp('told', 106), stamp('released', 108)],
    ],
    toldFirst: undefined,
    ...changes,
  }
}

describe('lagsOf', () => {
  it('counts each instant of each gateway from the moment at which the function accepted', () => {
    expect(lagsOf(round(), hosts)).toEqual([
      { isDirect: true, noticed: 2, told: 4, released: 5, arrived: 6 },
      { isDirect: true, noticed: 3, told: 6, released: 8, arrived: 9 },
    ])
  })

  it('dates the report to one gateway for those that heard of it through Redis', () => {
    const [first, second] = lagsOf(round({ toldFirst: 0 }), hosts)

    expect(first).toMatchObject({ isDirect: true, noticed: 2 })
    expect(second).toMatchObject({ isDirect: false, noticed: 2, told: 6 })
  })

  it('does not take a heartbeat after the news for the report that brought them', () => {
    const late = [...round().sidecar, stamp('sent', 107, '127.0.0.1:2')]

    expect(lagsOf(round({ sidecar: late }), hosts)[1]).toMatchObject({ noticed: 3 })
  })

  it('leaves a gateway out that no held call has passed', () => {
    const seen = { acceptedAtMs: 100, arrivedAtMs: { 1: 109 } }

    expect(lagsOf(round({ seen }), hosts)).toHaveLength(1)
  })
})

describe('stepCosts', () => {
  it('splits the whole time, so that the shares add up', () => {
    const costs = stepCosts(lagsOf(round(), hosts))

    expect(costs.noticed.p50).toBe(2.5)
    expect(costs.told.p50).toBe(2.5)
    expect(Object.values(costs).reduce((sum, { shareRatio }) => sum + shareRatio, 0)).toBeCloseTo(1)
  })
})
