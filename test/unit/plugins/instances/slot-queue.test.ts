import { describe, expect, it } from 'vitest'
import { FakeSidecar } from './fake-sidecar.ts'
import { busyInstances } from './busy-instances.ts'
import { Placing } from './placing.ts'

describe('SlotQueue', () => {
  it('costs an idle instance no question', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one', 1)
    await placing.report([one])

    await placing.send()
    one.oldest.finish()
    await placing.settle()
    await placing.send()

    expect(one.calls).toHaveLength(1)
    expect(one.asked).toEqual([])
    one.oldest.finish()
  })

  it('has a call wait while every instance is full, and sends it in the slot that is given to it', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one, two] = sidecars

    const waiting = await placing.send()
    expect([one?.asked, two?.asked]).toEqual([
      [{ gateway: 'gateway-a', want: 1, waitMs: 10_000 }],
      [{ gateway: 'gateway-a', want: 1, waitMs: 10_000 }],
    ])
    two?.oldest.finish()
    await placing.settle()

    expect(two?.oldest.exchange).toMatchObject({ id: waiting.exchange.id })
    expect(two?.oldest.slot).toBe('instance-2-1')
  })

  it('withdraws its questions 25 ms after the last call was served', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none'), two = new FakeSidecar('none')] = sidecars
    await placing.send()
    two.oldest.finish()
    await placing.settle()

    await placing.clock.advance(24)
    expect([one.questions.length, two.questions.length]).toEqual([1, 0])
    await placing.clock.advance(1)

    expect(one.questions).toEqual([])
    expect(placing.clock.pending).toBe(1) // the end of leases
  })

  it('asks nobody twice when another call waits before that', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none'), two = new FakeSidecar('none')] = sidecars
    await placing.send()
    two.oldest.finish()
    await placing.settle()

    const next = await placing.send()
    await placing.clock.advance(100)

    expect([one.asked.length, two.asked.length]).toEqual([1, 2])
    one.oldest.finish()
    await placing.settle()
    expect(one.oldest.exchange.id).toBe(next.exchange.id)
  })

  it('serves calls in the order in which they came, and lets no new one overtake', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const waiting = await placing.sendMany(3)
    const served: string[] = []

    for (let i = 0; i < 3; i += 1) {
      one.oldest.finish()
      await placing.settle()
      served.push(one.oldest.exchange.id)
      waiting.push(await placing.send())
    }

    expect(served).toEqual(waiting.slice(0, 3).map(({ exchange }) => exchange.id))
  })

  it('tries no call without a slot while others wait, room or not', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one', 2)
    one.foreign = 2
    await placing.report([one])
    await placing.send()
    expect(one.attempts).toBe(1)

    await placing.sendMany(5)

    expect(one.attempts).toBe(1)
  })

  it('sends calls that were refused elsewhere to an instance without a limit that comes along', async () => {
    const placing = new Placing()
    const limited = [new FakeSidecar('one', 1), new FakeSidecar('two', 1)]
    for (const one of limited) one.foreign = 1
    await placing.report(limited)
    const call = await placing.send()
    expect(limited.map(({ attempts }) => attempts)).toEqual([1, 1])

    const unlimited = new FakeSidecar('unlimited')
    await placing.report([unlimited])

    expect(unlimited.oldest.exchange.id).toBe(call.exchange.id)
  })

  it('asks no instance that has no limit, nor one that is not ready', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [starting, unlimited] = [new FakeSidecar('starting', 1), new FakeSidecar('unlimited')]
    await placing.report([starting], { phase: 'starting' })
    const waiting = await placing.sendMany(2)
    expect(starting.asked).toEqual([])

    await placing.report([unlimited])

    await placing.clock.advance(25)

    expect(unlimited.calls.map(({ exchange }) => exchange.id)).toEqual(waiting.map(({ exchange }) => exchange.id))
    expect(sidecars[0]?.questions).toEqual([])
  })

  it('asks an instance at once that becomes ready while calls wait', async () => {
    const { placing } = await busyInstances(1)
    const waiting = await placing.sendMany(2)
    const late = new FakeSidecar('late', 1)

    await placing.report([late])

    expect(late.oldest.exchange.id).toBe(waiting[0]?.exchange.id)
    expect(late.oldest.slot).toBeDefined()
    expect(late.questions).toHaveLength(1)
  })

  it('sends waiting calls to the provider when the last instance leaves', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const waiting = await placing.sendMany(3)

    await placing.report(sidecars, { phase: 'leaving' })

    expect(waiting.map(({ end }) => end)).toEqual(['provider', 'provider', 'provider'])
    expect(sidecars[0]?.questions).toEqual([])
  })

  it('asks each of several instances for its share, and for the rest of it after that', async () => {
    const placing = new Placing()
    const sidecars = [1, 2, 3].map((i) => new FakeSidecar(`instance-${i}`, 5))
    for (const one of sidecars) one.foreign = 5
    await placing.report(sidecars)

    for (let i = 0; i < 10; i += 1) placing.begin()
    await placing.settle()
    expect(sidecars.map(({ asked }) => asked)).toEqual(
      sidecars.map(() => [{ gateway: 'gateway-a', want: 4, waitMs: 10_000 }]),
    )
    sidecars[0]?.freeForeign(5)
    await placing.settle()
    sidecars[1]?.freeForeign(5)
    await placing.settle()

    expect(sidecars.map(({ calls }) => calls.length)).toEqual([5, 5, 0])
    expect(sidecars[0]?.asked.slice(1).map(({ want }) => want)).toEqual([2, 2])
  })

  it('gives slots back at once that come when nobody waits any more', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none'), two = new FakeSidecar('none')] = sidecars
    await placing.send()

    one.oldest.finish()
    two.oldest.finish()
    await placing.settle()

    expect(one.held + two.held).toBe(1)
    expect([...one.reserved, ...two.reserved]).toEqual([])
    expect(await placing.metricLines('pilotlight_slots_total')).toEqual([
      'pilotlight_slots_total{event="granted"} 2',
      'pilotlight_slots_total{event="given_back"} 1',
    ])
  })

  it('withdraws its questions when the last waiting client leaves', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const waiting = await placing.sendMany(2)
    for (const { client } of waiting) client.leave()
    await placing.clock.advance(25)

    expect(waiting.map(({ end }) => end)).toEqual(['client_closed', 'client_closed'])
    expect(sidecars.flatMap(({ questions }) => questions)).toEqual([])
    expect(placing.clock.pending).toBe(1)
    expect(await placing.metricLines('pilotlight_slot_waiting_requests')).toEqual([
      'pilotlight_slot_waiting_requests 0',
    ])
  })

  it('gives the slot of a caller that leaves just then to nobody else, and back', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const [first, second] = await placing.sendMany(2)
    first?.client.leave()

    one.oldest.finish()
    await placing.settle()

    expect(one.oldest.exchange.id).toBe(second?.exchange.id)
    expect(one.held).toBe(1)
  })

  it('gives a slot back whose caller left before its call was sent', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const call = await placing.send()
    const pool = placing.pools.of('echo.fn')
    const [candidate] = pool?.ready ?? []
    if (pool === undefined || candidate === undefined) throw new Error('there is one')

    pool.queue.granted(candidate, ['given-by-hand'])
    one.reserved.add('given-by-hand')
    call.client.leave()
    await placing.settle()

    expect(call.end).toBe('client_closed')
    expect(one.givenBack).toBe(1)
  })

  it('lines a call up again that was refused in its slot, before those that came later', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const first = await placing.send()
    await placing.clock.advance(5)
    await placing.send()
    one.refuses = 'full' // the slot has expired on the way

    one.oldest.finish()
    await placing.settle()
    one.refuses = undefined
    one.expireSlots()
    await placing.settle()

    expect(one.oldest.exchange.id).toBe(first.exchange.id)
  })

  it('gives up on an instance that gives slots and then lets nothing in', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one', 1)
    one.refuses = 'full'
    await placing.report([one])

    const call = await placing.send()
    for (let i = 0; i < 20; i += 1) {
      one.expireSlots()
      await placing.clock.advance(500)
    }

    expect(call.end).toBe('overloaded')
    expect(one.attempts).toBe(8)
  })

  it('tells a call that has waited for its whole time what it waited for', async () => {
    const { placing } = await busyInstances(2, new Placing({ holdTimeoutMs: 5_000 }))
    const call = await placing.send({}, { heldMs: 2_000 })
    await placing.send()

    await placing.clock.advance(2_999)
    expect(call.end).toBeUndefined()
    await placing.clock.advance(1)

    expect(call.end).toBe('overloaded')
    expect(call.error?.retryAfterSeconds).toBe(1)
    expect(call.error?.message).toBe(
      'no instance of "echo.fn" had a free slot for 5s (2 ready, 1 other calls wait); add replicas, or raise the limit of calls at a time',
    )
    expect(call.exchange.times.heldMs).toBe(5_000)
    expect(await placing.metricLines('slot_wait_seconds_count{outcome="timeout"')).toEqual([
      expect.stringMatching(/ 1$/),
    ])
  })

  it('waits for as long as the annotation of its function says', async () => {
    const { placing } = await busyInstances(1)
    placing.annotate({ 'com.pilotlight.hold-timeout': '1s' })
    const call = await placing.send()

    await placing.clock.advance(1_000)

    expect(call.end).toBe('overloaded')
  })

  it('refuses a call at once when too many wait', async () => {
    const { placing } = await busyInstances(1, new Placing({ options: { maxHeldPerFunction: 2 } }))

    const calls = await placing.sendMany(3)

    expect(calls.map(({ end }) => end)).toEqual([undefined, undefined, 'queue_full'])
  })

  it('asks again after the time of a question', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    await placing.send()

    one.questions[0]?.resolve([])
    await placing.settle()

    expect(one.questions).toHaveLength(1)
    expect(one.asked).toHaveLength(2)
  })

  it('takes an instance out that says that it leaves', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none'), two = new FakeSidecar('none')] = sidecars
    one.slotsStatus = 410

    const call = await placing.send()

    expect(await placing.metricLines('ejections_total{cause="draining"')).toEqual([expect.stringMatching(/ 1$/)])
    expect(one.questions).toEqual([])
    two.oldest.finish()
    await placing.settle()
    expect(two.oldest.exchange.id).toBe(call.exchange.id)
  })

  it('goes to the provider when no instance accepts its questions', async () => {
    const { placing, sidecars } = await busyInstances(2)
    for (const one of sidecars) one.isDown = true

    const call = await placing.send()

    expect(call.end).toBe('provider')
  })

  it('asks an instance that was away again after its pause', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none'), two = new FakeSidecar('none')] = sidecars
    one.isDown = true
    const call = await placing.send()
    one.calls.length = 0
    one.isDown = false
    expect([call.end, one.questions.length, two.questions.length]).toEqual([undefined, 0, 1])

    await placing.clock.advance(1_000)

    expect(one.oldest.exchange.id).toBe(call.exchange.id)
  })

  it('pauses for longer when an instance is still away', async () => {
    const { placing, sidecars } = await busyInstances(2)
    const [one = new FakeSidecar('none')] = sidecars
    one.isDown = true
    await placing.send()

    const tries: number[] = []
    for (const ms of [999, 1, 1_999, 1, 3_999, 1]) {
      await placing.clock.advance(ms)
      tries.push(one.questionsTried)
    }

    expect(tries).toEqual([1, 2, 2, 3, 3, 4])
  })

  it('sends calls without a slot, now and then, where none can be had', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    one.slotsStatus = 404
    const call = await placing.send()
    await placing.clock.advance(3_000)
    expect(one.attempts).toBe(1)

    one.oldest.finish()
    await placing.clock.advance(1_000)

    expect(one.oldest.exchange.id).toBe(call.exchange.id)
    expect(one.oldest.slot).toBeUndefined()
  })

  it('claims a slot before it sends a body that it could not send again', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one', 1), new FakeSidecar('two', 1)]
    await placing.report([one, two])
    const streamed = { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }
    const large = { method: 'POST', headers: { 'Content-Length': '2000' } }

    await placing.send(streamed)
    await placing.send(large)
    const third = await placing.send(streamed)

    expect([one.oldest.slot, two.oldest.slot]).toEqual(['one-1', 'two-1'])
    expect([...one.asked, ...two.asked].map(({ want, waitMs }) => [want, waitMs]).slice(0, 1)).toEqual([[1, 0]])
    expect([one.attempts, two.attempts, third.end]).toEqual([1, 1, undefined])
  })

  it('refuses what waits, and what comes later, when the gateway closes', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const call = await placing.send()

    placing.pools[Symbol.dispose]()
    await placing.settle()

    expect(call.end).toBe('draining')
    expect((await placing.send()).end).toBe('draining')
    expect(sidecars[0]?.questions).toEqual([])
  })
})
