import { describe, expect, it } from 'vitest'
import { LimitPassed, withinLimit } from '../../../core/redis/within-limit.ts'
import { FakeClock } from '../../support/fake-clock.ts'

describe('withinLimit', () => {
  it('hands on what comes in time, and leaves no alarm', async () => {
    const clock = new FakeClock()

    await expect(withinLimit(Promise.resolve(1), { clock, limitMs: 100 })).resolves.toBe(1)
    await expect(withinLimit(Promise.reject(new Error('no')), { clock, limitMs: 100 })).rejects.toThrow('no')

    expect(clock.pending).toBe(0)
  })

  it('rejects when the limit has passed', async () => {
    const clock = new FakeClock()
    const outcome = withinLimit(new Promise(() => {}), { clock, limitMs: 100 }).catch((error: unknown) => error)

    await clock.advance(100)

    expect(await outcome).toBeInstanceOf(LimitPassed)
  })

  it('waits for what the same turn of the event loop brings, as after a stall', async () => {
    const clock = new FakeClock()
    const answer = Promise.withResolvers<string>()
    const outcome = withinLimit(answer.promise, { clock, limitMs: 100 })

    const advanced = clock.advance(100) // 1. the alarm rings in this turn
    setImmediate(() => answer.resolve('late, but there')) // 2. the answer was in the socket
    await advanced

    await expect(outcome).resolves.toBe('late, but there')
  })

  it('rejects with the reason of a signal, also of one that has aborted before', async () => {
    const clock = new FakeClock()
    const limit = new AbortController()
    const outcome = withinLimit(new Promise(() => {}), { clock, limitMs: 100, signal: limit.signal })
    limit.abort(new Error('closing'))

    await expect(outcome).rejects.toThrow('closing')
    await expect(withinLimit(Promise.resolve(1), { clock, limitMs: 100, signal: limit.signal })).rejects.toThrow(
      'closing',
    )
    expect(clock.pending).toBe(0)
  })
})
