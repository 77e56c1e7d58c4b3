import { describe, expect, it } from 'vitest'
import { patientTimer } from '../../../../sidecar/function/patient-timer.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

describe('patientTimer', () => {
  it('rings when its time has passed', async () => {
    const clock = new FakeClock()
    let rings = 0
    patientTimer(clock, 100, () => (rings += 1))

    await clock.advance(99)
    expect(rings).toBe(0)
    await clock.advance(1)

    expect(rings).toBe(1)
  })

  it.each([[10], [60]])('does not ring when it is disposed after %i ms', async (afterMs) => {
    const clock = new FakeClock()
    let rings = 0
    const timer = patientTimer(clock, 100, () => (rings += 1))

    await clock.advance(afterMs)
    timer[Symbol.dispose]()
    await clock.advance(1_000)

    expect(rings).toBe(0)
    expect(clock.pending).toBe(0)
  })
})
