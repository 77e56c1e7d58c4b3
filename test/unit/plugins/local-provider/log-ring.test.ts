import { describe, expect, it } from 'vitest'
import { LogFollower } from '../../../../plugins/local-provider/logs/log-follower.ts'
import { LogRing } from '../../../../plugins/local-provider/logs/log-ring.ts'

function ringOf(texts: readonly string[], limits = { maxLines: 3, maxBytes: 10_000 }): LogRing {
  const ring = new LogRing(limits)
  texts.forEach((text, index) => ring.append({ instance: index % 2 === 0 ? 'even' : 'odd', timestampMs: index, text }))
  return ring
}

function textsOf(ring: LogRing): string[] {
  return ring.read(0, {}).lines.map(({ text }) => text)
}

describe('LogRing', () => {
  it('keeps the newest lines', () => {
    expect(textsOf(ringOf(['a', 'b', 'c', 'd', 'e']))).toEqual(['c', 'd', 'e'])
  })

  it('keeps no more bytes than allowed, and always the newest line', () => {
    const limits = { maxLines: 100, maxBytes: 300 }

    expect(textsOf(ringOf(['x'.repeat(100), 'y'.repeat(100), 'z'.repeat(100)], limits))).toEqual(['z'.repeat(100)])
    expect(textsOf(ringOf(['a', 'y'.repeat(1000)], limits))).toEqual(['y'.repeat(1000)])
    expect(textsOf(ringOf(Array.from({ length: 1000 }, String), limits))).toHaveLength(4)
  })

  it('selects by instance and instant', () => {
    const ring = ringOf(['a', 'b', 'c'])

    expect(ring.read(0, { instance: 'even' }).lines.map(({ text }) => text)).toEqual(['a', 'c'])
    expect(ring.read(0, { sinceMs: 1 }).lines.map(({ text }) => text)).toEqual(['b', 'c'])
  })

  it('counts only selected lines for a tail', () => {
    const ring = ringOf(['a', 'b', 'c'])

    expect(ring.startOfTail(2, { instance: 'even' })).toBe(0)
    expect(ring.startOfTail(1, {})).toBe(2)
  })
})

describe('LogFollower', () => {
  it('skips what had to make room before it was read', async () => {
    const ring = ringOf([])
    const follower = new LogFollower(ring, { follow: true }, ({ text }) => `${text};`)
    const first = follower.next()
    ring.append({ instance: 'x', timestampMs: 0, text: 'first' })
    expect(String((await first).value)).toBe('first;')

    for (const text of ['a', 'b', 'c', 'd']) ring.append({ instance: 'x', timestampMs: 0, text })

    expect(String((await follower.next()).value)).toBe('b;c;d;')
    await follower.return()
  })

  it('ends a wait when it is returned or the ring is closed', async () => {
    const ring = ringOf([])
    const returned = new LogFollower(ring, { follow: true }, () => '')
    const closed = new LogFollower(ring, { follow: true }, () => '')
    const waits = [returned.next(), closed.next()]

    await returned.return()
    ring.close()

    expect((await Promise.all(waits)).map(({ done }) => done)).toEqual([true, true])
  })
})
