import { describe, expect, it } from 'vitest'
import { SimulatedGateways } from './simulated-gateways.ts'

/** Notes when a call has ended, by the clock of the fleet. */
function timed<T>(
  { clock }: SimulatedGateways,
  call: Promise<T>,
): { readonly answer: () => T | undefined; tookMs: number } {
  const startMs = clock.monotonicMs()
  const ended: { value?: T } = {}
  const result = { answer: () => ended.value, tookMs: Number.POSITIVE_INFINITY }
  void call.then((value) => {
    ended.value = value
    result.tookMs = clock.monotonicMs() - startMs
  })
  return result
}

async function ofTwo() {
  const fleet = new SimulatedGateways()
  const [one, other] = await fleet.joinAll({}, {})
  await one.take({ revision: 1 })
  return { fleet, clock: fleet.clock, one, other }
}

describe('An instance that leaves', () => {
  it('has the others acknowledge that, after they have taken it out', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.connection.messageDelayMs = () => 20

    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(19)
    const early = [leave.answer(), other.ready]
    await clock.advance(1)

    expect(early).toEqual([undefined, ['a']])
    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 0 })
    expect(leave.tookMs).toBe(20)
    expect([one.ready, other.ready]).toEqual([[], []])
  })

  it('waits for nobody where there is one gateway', async () => {
    const fleet = new SimulatedGateways()
    const [one] = await fleet.joinAll({})
    await one.take({ revision: 1 })

    expect(await one.take({ revision: 2, phase: 'leaving' })).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 0 })
  })

  it('waits a second for a gateway that hangs', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.connection.messageDelayMs = () => 60_000

    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(999)
    const early = leave.answer()
    await clock.advance(1)

    expect(early).toBeUndefined()
    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 1 })
    expect(await one.metricLines('pilotlight_leave_acknowledgements_total')).toEqual([
      'pilotlight_leave_acknowledgements_total{answer="acknowledged"} 0',
      'pilotlight_leave_acknowledgements_total{answer="silent"} 1',
    ])
  })

  it('does not wait again when the sidecar repeats itself', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.connection.messageDelayMs = () => 60_000
    void one.take({ revision: 2, phase: 'leaving' })
    await clock.advance(1_000)

    const again = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(0)

    expect(again.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 1 })
  })

  it('waits for no gateway that has fallen silent for some seconds', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.breakConnection()
    other.store.connection.fate = () => 'request lost'
    await one.take({ revision: 1 })
    await clock.advance(6_000)

    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(0)

    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 0 })
  })

  it('waits for no gateway that says that it goes, not even when that happens meanwhile', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.connection.messageDelayMs = () => 60_000
    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(100)

    await other[Symbol.asyncDispose]()
    await clock.advance(0)

    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 0 })
    expect(leave.tookMs).toBe(100)
  })

  it('is acknowledged to every gateway when the sidecar tells them all', async () => {
    const fleet = new SimulatedGateways()
    const [one, other, third] = await fleet.joinAll({}, {}, {})
    const all = [one, other, third]
    for (const gateway of all) await gateway.take({ revision: 1 })

    const leaves = all.map((gateway) => timed(fleet, gateway.take({ revision: 2, phase: 'leaving' })))
    await fleet.clock.advance(0)

    for (const leave of leaves) expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 2, silent: 0 })
  })

  it('is acknowledged also to the gateway that is told late', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    const first = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(2_500)

    const late = timed(fleet, other.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(0)

    expect(first.answer()).toMatchObject({ acknowledged: 1 })
    expect(late.answer()).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 0 })
  })

  it('is out at once while there is no store, and the others are told when it is back', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    fleet.server.stop()

    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(150)
    const meanwhile = other.ready
    fleet.server.start()
    await clock.advance(3_000)

    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 1 })
    expect(leave.tookMs).toBeLessThanOrEqual(100)
    expect(meanwhile).toEqual(['a'])
    expect(other.ready).toEqual([])
  })

  it('names the others as silent however long the store is away, and finds them again when it is back', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    fleet.server.stop()
    const beat = async (): Promise<void> => {
      await clock.advance(1_000)
      for (const gateway of [one, other]) await gateway.take({ revision: 1 })
    }
    for (let second = 0; second < 60; second += 1) await beat()

    const meanwhile = await one.take({ id: 'b', phase: 'leaving' })
    fleet.server.start()
    for (let second = 0; second < 3; second += 1) await beat()
    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(0)

    expect(meanwhile).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 1 })
    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 0 })
  })

  it('is told of once by each gateway, and once more to one that joins', async () => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({}, {})
    const told = (): readonly string[] =>
      fleet.server.published.filter(({ kind }) => kind === 'told').map((change) => Reflect.get(change, 'origin'))
    for (const gateway of [one, other]) await gateway.take({ revision: 1 })

    for (const gateway of [one, other, one, other]) {
      await Promise.all([gateway.take({ revision: 2, phase: 'leaving' }), fleet.clock.advance(100)])
    }
    const before = told()
    const late = await fleet.join()
    await fleet.clock.advance(1_500)
    const leave = timed(fleet, late.take({ revision: 2, phase: 'leaving' }))
    await fleet.clock.advance(0)

    expect(before).toEqual([one, other].map(({ store }) => store.origin))
    expect(told().slice(before.length).toSorted()).toEqual([one, other, late].map(({ store }) => store.origin))
    expect(leave.answer()).toMatchObject({ acknowledged: 2, silent: 0 })
  })

  it('waits no longer when it is noticed meanwhile that the store is away', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    other.store.connection.messageDelayMs = () => 60_000
    const leave = timed(fleet, one.take({ revision: 2, phase: 'leaving' }))
    await clock.advance(50)

    fleet.server.stop()
    void one.take({ id: 'b' })
    await clock.advance(0)

    expect(leave.answer()).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 1 })
    expect(leave.tookMs).toBeLessThan(1_000)
  })

  it('is not brought back by a report from before, in any gateway, nor through the store', async () => {
    const { fleet, clock, one, other } = await ofTwo()
    const before = (await other.store.entries()).find(({ key }) => key === 'i/a')
    if (before === undefined) throw new Error('the entry is there')
    await one.take({ revision: 2, phase: 'leaving' })
    await clock.advance(11_000)

    const replayed = await other.take({ revision: 1 }).catch(() => 'refused')
    const isPut = await other.store.putEntry('i/a', { ...before, ttlMs: 10_000 })
    await clock.advance(1)

    expect([replayed, isPut]).toEqual(['refused', true])
    expect([one.known, other.known]).toEqual([[], []])
    expect(fleet.server.published.length).toBeGreaterThan(0)
  })

  it('costs no second when somebody has acknowledged before anybody asked', async () => {
    const { fleet, clock, one, other } = await ofTwo()

    await other.store.tell('instance_left', 'a')
    await clock.advance(60_000)
    await one.take({ revision: 3 })
    const leave = timed(fleet, one.take({ revision: 4, phase: 'leaving' }))
    await clock.advance(1)

    expect(leave.answer()).toMatchObject({ acknowledged: 1 })
  })
})
