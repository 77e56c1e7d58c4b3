import { describe, expect, it } from 'vitest'
import { CrewWatch } from '../../../core/workers/crew-watch.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'

function harness(count: number) {
  const clock = new FakeClock()
  const killed: number[] = []
  const workers = Array.from({ length: count }, (_, index) => {
    let heardAtMs = clock.monotonicMs()
    return {
      number: index + 1,
      pid: 100 + index,
      reasons: [] as readonly string[],
      get silentMs() {
        return clock.monotonicMs() - heardAtMs
      },
      excuse: () => void (heardAtMs = clock.monotonicMs()),
      kill: () => void killed.push(index + 1),
    }
  })
  const serving = [...workers]
  const watch = new CrewWatch({ serving: () => serving, clock, log: new FakeLogger() })
  /** Lets seconds pass in which all but some workers are heard of. */
  const pass = async (seconds: number, silent: readonly number[] = []): Promise<void> => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1_000)
      for (const worker of serving) if (!silent.includes(worker.number)) worker.excuse()
    }
  }
  return { clock, killed, serving, watch, pass }
}

describe('the watch over workers', () => {
  it('kills a worker that was silent for 30 s, and no other', async () => {
    const { pass, killed } = harness(2)

    await pass(30, [2])
    expect(killed).toEqual([])
    await pass(2, [2])

    expect(killed).toContain(2)
    expect(killed).not.toContain(1)
  })

  it('kills nobody after it stood still itself', async () => {
    const { clock, killed, watch } = harness(2)
    // The machine was suspended: the alarm rings a minute late, and what the workers said meanwhile is still unread.
    watch[Symbol.dispose]()
    const late = new CrewWatch({
      clock: { ...clockOf(clock), after: (delayMs, ring) => clock.after(delayMs + 60_000, ring) },
      log: new FakeLogger(),
      serving: () => [
        { number: 1, pid: 1, reasons: [], silentMs: 61_000, excuse: () => {}, kill: () => killed.push(1) },
      ],
    })

    await clock.advance(62_000)

    expect(killed).toEqual([])
    late[Symbol.dispose]()
  })

  it('is ready while one worker wants traffic', async () => {
    const { watch, serving, pass } = harness(3)
    for (const worker of serving.slice(0, 1)) worker.reasons = ['provider-client: no listing yet']

    await pass(6, [2])

    expect(watch.unready()).toEqual([])
  })

  it('says why none of them wants traffic, each reason once', async () => {
    const { watch, serving, pass } = harness(3)
    for (const worker of serving) worker.reasons = ['provider-client: no listing yet']

    await pass(6, [2])

    expect(watch.unready()).toEqual(['provider-client: no listing yet', 'worker 2 does not answer'])
  })

  it('says that no worker is running', () => {
    const { watch, serving } = harness(1)
    serving.length = 0

    expect(watch.unready()).toEqual(['no worker is running'])
  })

  it('leaves no alarm behind', () => {
    const { watch, clock } = harness(1)

    watch[Symbol.dispose]()

    expect(clock.pending).toBe(0)
  })
})

function clockOf(clock: FakeClock) {
  return {
    nowMs: () => clock.nowMs(),
    monotonicMs: () => clock.monotonicMs(),
    sleep: (delayMs: number, signal?: AbortSignal) => clock.sleep(delayMs, signal),
  }
}
