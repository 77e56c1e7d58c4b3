import { describe, expect, it } from 'vitest'
import { SystemClock } from '../../../core/time/system-clock.ts'

const clock = new SystemClock()

describe('SystemClock', () => {
  it("tells the machine's time", () => {
    expect(Math.abs(clock.nowMs() - Date.now())).toBeLessThan(100)
  })

  it.each([
    ['set an hour back', -3_600_000],
    ['set a minute ahead, as after a suspend', 60_000],
  ])('follows the wall clock when that is %s', (_, jumpMs) => {
    const machine = { wall: 1_700_000_000_000, monotonic: 5_000 }
    const watched = new SystemClock({ wallMs: () => machine.wall, monotonicMs: () => machine.monotonic })

    machine.wall += jumpMs + 10
    machine.monotonic += 10.25

    expect(Math.abs(watched.nowMs() - machine.wall)).toBeLessThan(1)
    expect(watched.monotonicMs()).toBe(5_010.25)
  })

  it('tells the time more finely than the wall clock does', () => {
    const machine = { wall: 1_700_000_000_000, monotonic: 5_000 }
    const watched = new SystemClock({ wallMs: () => machine.wall, monotonicMs: () => machine.monotonic })

    machine.monotonic += 0.25

    expect(watched.nowMs()).toBe(1_700_000_000_000.25)
  })

  it('calls back once, not before its time', async () => {
    const fromMs = clock.monotonicMs()
    let times = 0

    await new Promise<void>((resolve) => {
      clock.after(20, () => {
        times += 1
        resolve()
      })
    })

    expect(clock.monotonicMs() - fromMs).toBeGreaterThan(18)
    expect(times).toBe(1)
  })

  it('never calls back after its timer was disposed', async () => {
    let isCalled = false
    const timer = clock.after(1, () => (isCalled = true))

    timer[Symbol.dispose]()
    await clock.sleep(10)

    expect(isCalled).toBe(false)
  })

  it.each([
    ['before it begins', 0],
    ['during it', 5],
  ])("ends a sleep with the signal's reason when that aborts %s", async (_, afterMs) => {
    const reason = new Error('enough')
    const controller = new AbortController()
    if (afterMs === 0) controller.abort(reason)
    else clock.after(afterMs, () => controller.abort(reason))

    await expect(clock.sleep(5000, controller.signal)).rejects.toBe(reason)
  })

  it('is not disturbed by a signal that aborts after the sleep', async () => {
    const controller = new AbortController()

    await clock.sleep(1, controller.signal)
    controller.abort()

    await expect(clock.sleep(1)).resolves.toBeUndefined()
  })
})
