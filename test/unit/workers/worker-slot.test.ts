import { describe, expect, it } from 'vitest'
import { type Occupant, WorkerSlot } from '../../../core/workers/worker-slot.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

/** A worker that ends when the test says so. */
class ScriptedWorker implements Occupant {
  readonly pid = 4711
  readonly number: number
  readonly #ended = Promise.withResolvers<{ code: number | null; signal: string | null }>()

  constructor(number: number) {
    this.number = number
  }

  get ended() {
    return this.#ended.promise
  }

  die(): void {
    this.#ended.resolve({ code: null, signal: 'SIGKILL' })
  }
}

function harness() {
  const clock = new FakeClock()
  const log = new FakeLogger()
  const launched: ScriptedWorker[] = []
  const retired: number[] = []
  const lost: number[] = []
  const world = {
    clock,
    log,
    launched,
    retired,
    lost,
    refusals: 0,
    slot: undefined as unknown as WorkerSlot<ScriptedWorker>,
  }
  world.slot = new WorkerSlot<ScriptedWorker>({
    clock,
    log,
    random: () => 0,
    launch: async () => {
      const worker = new ScriptedWorker(launched.length + 1)
      launched.push(worker)
      if (world.refusals > 0) {
        world.refusals -= 1
        throw new Error('no')
      }
      return worker
    },
    retire: async ({ number }) => void retired.push(number),
    onLost: ({ number }) => void lost.push(number),
  })
  return world
}

describe('a slot for a worker', () => {
  it('tells the first failure to who fills it, and does not try again', async () => {
    const { slot, launched, clock } = Object.assign(harness(), { refusals: 1 })

    await expect(slot.fill()).rejects.toThrow('no')

    expect(launched).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('replaces a worker that has served for a while at once', async () => {
    const { slot, clock, launched, lost, retired } = harness()
    await slot.fill()
    await clock.advance(20_000)

    launched[0]?.die()
    await clock.advance(0)

    expect(slot.current?.number).toBe(2)
    expect(lost).toEqual([1])
    expect(retired).toEqual([])
  })

  it('waits longer and longer, 10 s at most, before it starts one that does not live', async () => {
    const { slot, clock, launched } = harness()
    await slot.fill()
    const pausesMs: number[] = []
    for (let round = 0; round < 9; round += 1) {
      const count = launched.length
      const diedAtMs = clock.monotonicMs()
      launched.at(-1)?.die()
      while (launched.length === count) await clock.advance(100)
      pausesMs.push(clock.monotonicMs() - diedAtMs)
    }

    expect(pausesMs).toEqual([100, 200, 400, 800, 1600, 3200, 6400, 10_000, 10_000])
  })

  it('goes on trying while workers cannot be started, and says so each time', async () => {
    const world = harness()
    await world.slot.fill()
    await world.clock.advance(20_000)
    world.refusals = 3

    world.launched[0]?.die()
    await world.clock.advance(5_000)

    expect(world.slot.current?.number).toBe(5)
    expect(world.log.lines.filter(({ message }) => message === 'a worker could not be started')).toHaveLength(3)
  })

  it('is empty while nobody serves', async () => {
    const world = harness()
    await world.slot.fill()
    world.refusals = 1

    world.launched[0]?.die()
    await world.clock.advance(0)

    expect(world.slot.current).toBeUndefined()
    await world.clock.advance(1_000)
    expect(world.slot.current?.number).toBe(3)
  })

  it('retires the old worker of a roll once the new one serves, and does not count its end as a loss', async () => {
    const { slot, launched, retired, lost, clock } = harness()
    await slot.fill()

    await slot.roll()
    launched[0]?.die()
    await clock.advance(60_000)

    expect(retired).toEqual([1])
    expect(lost).toEqual([])
    expect(slot.current?.number).toBe(2)
    expect(launched).toHaveLength(2)
  })

  it('keeps the old worker when the new one of a roll cannot serve', async () => {
    const world = harness()
    await world.slot.fill()
    world.refusals = 1

    await expect(world.slot.roll()).rejects.toThrow('no')

    expect(world.slot.current?.number).toBe(1)
    expect(world.retired).toEqual([])
  })

  it('keeps one worker when a roll and a replacement meet', async () => {
    const { slot, launched, retired, clock } = harness()
    await slot.fill()

    launched[0]?.die()
    await clock.advance(0)
    await slot.roll()
    await clock.advance(60_000)

    expect(launched.length - 1 - retired.length).toBe(1)
    expect(retired).not.toContain(slot.current?.number)
  })

  it('replaces nobody any more once it is stopped', async () => {
    const { slot, launched, clock, lost } = harness()
    await slot.fill()

    slot.stop()
    launched[0]?.die()
    await clock.advance(60_000)

    expect(launched).toHaveLength(1)
    expect(lost).toEqual([])
  })

  it('gives up a pause before the next start when it is stopped', async () => {
    const { slot, launched, clock } = harness()
    await slot.fill()
    launched[0]?.die()
    await clock.advance(0)

    slot.stop()
    await clock.advance(60_000)

    expect(launched).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })
})
