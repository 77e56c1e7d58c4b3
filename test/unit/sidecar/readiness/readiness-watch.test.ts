import { afterEach, describe, expect, it } from 'vitest'
import type { ProbeFinding } from '../../../../sidecar/readiness/probe.ts'
import { ReadinessWatch, type Verdict } from '../../../../sidecar/readiness/readiness-watch.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const well: ProbeFinding = { kind: 'well' }
const refused: ProbeFinding = { kind: 'refused', problem: 'nobody listens' }
const failing: ProbeFinding = { kind: 'failing', problem: '/ready is answered 500' }

const late: ProbeFinding = { kind: 'late', problem: '/ready is not answered within 1000 ms' }

const watches: ReadinessWatch[] = []
afterEach(() => {
  for (const watch of watches.splice(0)) watch[Symbol.dispose]()
})

/** A watch over a function that answers as the test says. */
function watched(finding: ProbeFinding, costMs = 0) {
  const clock = new FakeClock()
  const state = { finding, asked: 0, verdicts: [] as Verdict[], clock }
  const watch = new ReadinessWatch({
    clock,
    ask: async () => {
      state.asked += 1
      if (costMs > 0) await clock.sleep(costMs)
      return state.finding
    },
    intervalMs: 5_000,
    onVerdict: (verdict) => state.verdicts.push(verdict),
  })
  watches.push(watch)
  watch.start()
  return Object.assign(state, { watch })
}

describe('ReadinessWatch', () => {
  it('asks every millisecond while nobody listens', async () => {
    const one = watched(refused)

    await one.clock.advance(100)

    expect(one.asked).toBe(101)
    expect(one.verdicts).toEqual([])
  })

  it('asks a path that is not well less often', async () => {
    const one = watched(failing)

    await one.clock.advance(100)

    expect(one.asked).toBe(21)
  })

  it('asks less when asking takes long, because the machine is busy', async () => {
    const one = watched(refused, 10)

    await one.clock.advance(490)

    expect(one.asked).toBe(11) // 10 ms, and then 39 for others
  })

  it('says what is wrong when it takes long, and asks less and less', async () => {
    const one = watched(refused)

    await one.clock.advance(2_100)
    const afterTwoSeconds = one.asked
    await one.clock.advance(58_000)
    const afterAMinute = one.asked
    await one.clock.advance(10_000)

    expect(one.verdicts).toEqual([{ isReady: false, problem: 'nobody listens' }])
    expect(afterTwoSeconds).toBeGreaterThan(2_000)
    expect(one.asked - afterAMinute).toBe(100)
  })

  it('says that the function is ready at once, and then looks slowly', async () => {
    const one = watched(refused)
    await one.clock.advance(50)
    one.finding = well
    await one.clock.advance(1)
    const asked = one.asked

    await one.clock.advance(50_000)

    expect(one.verdicts).toEqual([{ isReady: true, problem: '' }])
    expect(one.asked - asked).toBe(10)
  })

  it('says that it is not when nobody listens any more', async () => {
    const one = watched(well)
    await one.clock.advance(1)

    one.finding = refused
    await one.clock.advance(5_000)

    expect(one.verdicts.slice(1)).toEqual([{ isReady: false, problem: 'nobody listens' }])
  })

  it('says that it is not after three failures in a row, which follow one another faster', async () => {
    const one = watched(well)
    await one.clock.advance(1)

    one.finding = failing
    await one.clock.advance(5_000 + 300)
    expect(one.verdicts).toHaveLength(1)
    await one.clock.advance(100)

    expect(one.verdicts.slice(1)).toEqual([{ isReady: false, problem: '/ready is answered 500' }])
  })

  it('lets one that was ready be late for thirty seconds, as one is that is busy with a call', async () => {
    const one = watched(well)
    await one.clock.advance(1)

    one.finding = late
    await one.clock.advance(5_000 + 29_000)
    expect(one.verdicts).toHaveLength(1)
    expect(one.asked).toBeLessThan(10) // each question waits in its queue
    await one.clock.advance(6_000)

    expect(one.verdicts.slice(1)).toEqual([{ isReady: false, problem: '/ready is not answered within 1000 ms' }])
  })

  it('begins anew to count the time that one is late when it was not meanwhile', async () => {
    const one = watched(well)
    await one.clock.advance(1)

    for (let i = 0; i < 4; i += 1) {
      one.finding = late
      await one.clock.advance(20_000)
      one.finding = well
      await one.clock.advance(5_000)
    }

    expect(one.verdicts).toEqual([{ isReady: true, problem: '' }])
  })

  it('says at once that one which is late does not listen any more', async () => {
    const one = watched(well)
    await one.clock.advance(1)
    one.finding = late
    await one.clock.advance(10_000)

    one.finding = refused
    await one.clock.advance(5_000)

    expect(one.verdicts.at(-1)).toEqual({ isReady: false, problem: 'nobody listens' })
  })

  it('does not count failures that do not follow one another', async () => {
    const one = watched(well)
    await one.clock.advance(1)

    for (let i = 0; i < 5; i += 1) {
      one.finding = failing
      await one.clock.advance(5_200)
      one.finding = well
      await one.clock.advance(200)
    }

    expect(one.verdicts).toEqual([{ isReady: true, problem: '' }])
  })

  it('goes with a function that flaps', async () => {
    const one = watched(well)
    await one.clock.advance(1)
    for (const finding of [refused, well, failing, well]) {
      one.finding = finding
      await one.clock.advance(10_000)
    }

    expect(one.verdicts.map(({ isReady }) => isReady)).toEqual([true, false, true, false, true])
  })

  it('tells a new problem of a function that is not ready', async () => {
    const one = watched(well)
    await one.clock.advance(1)
    one.finding = refused
    await one.clock.advance(5_000)

    one.finding = failing
    await one.clock.advance(10)

    expect(one.verdicts.at(-1)).toEqual({ isReady: false, problem: '/ready is answered 500' })
  })

  it('looks at once when it is suspected', async () => {
    const one = watched(well)
    await one.clock.advance(1)
    one.finding = refused

    one.watch.suspect()
    await one.clock.advance(0)

    expect(one.verdicts.at(-1)).toEqual({ isReady: false, problem: 'nobody listens' })
  })

  it('looks again when it is suspected while it looks', async () => {
    const one = watched(well, 20)
    await one.clock.advance(5_030)
    const asked = one.asked

    one.watch.suspect()
    await one.clock.advance(30)

    expect(one.asked - asked).toBe(1)
  })

  it('says and asks nothing after its end', async () => {
    const one = watched(refused, 5)
    await one.clock.advance(3)
    one.finding = well

    one.watch[Symbol.dispose]()
    await one.clock.advance(10_000)

    expect(one.asked).toBe(1)
    expect(one.verdicts).toEqual([])
    expect(one.clock.pending).toBe(0)
  })
})
