import { describe, expect, it } from 'vitest'
import { type Clock, SystemClock } from '#core/lean'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { FunctionHarness } from './function-harness.ts'

guardAgainstLeaks()

/** Time passes twenty times as fast. */
class FastClock implements Clock {
  readonly #clock = new SystemClock()

  nowMs(): number {
    return this.#clock.nowMs()
  }

  monotonicMs(): number {
    return this.#clock.monotonicMs() * 20
  }

  after(delayMs: number, callback: () => void): Disposable {
    return this.#clock.after(delayMs / 20, callback)
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(delayMs / 20, signal)
  }
}

describe('a function that is too busy to answer at its ready path', () => {
  it('stays ready for half a minute', async () => {
    const clock = new FastClock()
    await using harness = await FunctionHarness.serve({}, { clock, readyPath: '/ready', timeoutMs: 600_000 })
    const startedMs = clock.monotonicMs()

    await harness.get('/hang-ready')
    await harness.reason(/\/ready is not answered within 1000 ms/)

    expect(clock.monotonicMs() - startedMs).toBeGreaterThan(30_000)
    expect(harness.runner.isReady).toBe(false)
  })
})
