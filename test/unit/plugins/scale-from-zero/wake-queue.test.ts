import { describe, expect, it } from 'vitest'
import { functionIdentity, GatewayError } from '#core'
import { Waking } from './waking.ts'

describe('WakeQueue', () => {
  it('has a function scaled once for 300 callers, and releases them all when it is ready', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 200

    const calls = Array.from({ length: 300 }, () => waking.hold())
    await waking.clock.advance(190)
    const early = calls.filter((call) => call.ended !== undefined).length
    await waking.clock.advance(30)
    await Promise.all(calls.map((call) => call.outcome))

    expect(early).toBe(0)
    expect(waking.query.scales).toHaveLength(1)
    expect(waking.state).toMatchObject({ phase: 'ready', desired: 1, available: 1 })
    expect(await waking.metricLines('pilotlight_coalesced_callers_total')).toEqual([
      'pilotlight_coalesced_callers_total 299',
    ])
    expect(waking.clock.pending).toBe(0)
  })

  it('releases callers in the order they came', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 10
    const released: number[] = []

    const calls = Array.from({ length: 30 }, () => waking.hold())
    const noted = calls.map((call, at) => call.outcome.then(() => released.push(at)))
    await waking.clock.advance(50)
    await Promise.all(noted)

    expect(released).toEqual(calls.map((_, at) => at))
  })

  it('asks the provider nothing more once the function is ready, however many callers there are to release', async () => {
    const waking = new Waking()
    const calls = Array.from({ length: 100 }, () => waking.hold())
    await waking.clock.advance(105)
    const asked = waking.query.statuses.length

    waking.observe({ phase: 'ready', desired: 1, available: 1 })
    await waking.clock.advance(100)
    await Promise.all(calls.map((call) => call.outcome))

    expect(waking.query.statuses).toHaveLength(asked)
  })

  it('wakes different functions apart', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 10

    const calls = [waking.hold(functionIdentity('one', 'fn')), waking.hold(functionIdentity('two', 'fn'))]
    await waking.clock.advance(30)

    expect(calls.map((call) => call.ended)).toEqual(['released', 'released'])
    expect(waking.query.scales.map((call) => call.key)).toEqual(['one.fn', 'two.fn'])
  })

  it('announces a hold and its length', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 100
    const announced = waking.announced()

    const call = waking.hold()
    await waking.clock.advance(150)

    expect(announced).toEqual(['held', 'woken after 100 ms'])
    expect(call.exchange.times.heldMs).toBe(100)
  })

  it('announces no waking of a call that is refused, but counts its time', async () => {
    const waking = new Waking({ holdTimeoutMs: 1000 })
    const announced = waking.announced()

    const call = waking.hold()
    await waking.clock.advance(1000)

    expect(announced).toEqual(['held'])
    expect(call.exchange.times.heldMs).toBe(1000)
  })

  it('lets callers go at once when the directory learns that the function is ready', async () => {
    const waking = new Waking()
    const call = waking.hold()
    await waking.clock.advance(105)

    waking.observe({ phase: 'ready', desired: 1, available: 1 })
    await waking.clock.advance(0)

    expect(call.ended).toBe('released')
    expect(waking.state).toMatchObject({ phase: 'ready' })
    expect(waking.log.messages('warn')).toEqual([])
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="ready",role="leader"} 1',
    ])
    expect(waking.clock.pending).toBe(0)
  })

  it('takes a readiness that is pushed while the provider is being asked', async () => {
    const waking = new Waking()
    const { promise: never } = Promise.withResolvers<void>()
    waking.query.answers = never
    const call = waking.hold()
    await waking.clock.advance(100)

    waking.observe({ phase: 'ready', desired: 1, available: 1 })
    await waking.clock.advance(0)

    expect(call.ended).toBe('released')
    expect(waking.state?.phase).toBe('ready')
    expect(waking.query.scales).toEqual([])
    expect(waking.clock.pending).toBe(0)
  })

  it('lets a call go whose function turned out to be ready', async () => {
    const waking = new Waking()
    waking.query.becomeReady()

    const call = waking.hold()
    await waking.clock.advance(0)

    expect(call.ended).toBe('released')
    expect(waking.query.statuses).toHaveLength(1)
    expect(waking.query.scales).toEqual([])
  })

  it('refuses those who wait with `draining` when it is disposed, and publishes no failure', async () => {
    const waking = new Waking()
    const call = waking.hold()
    await waking.clock.advance(105)

    await waking.queue[Symbol.asyncDispose]()
    await waking.clock.advance(0)

    expect(call.ended).toBe('draining')
    expect(waking.state?.phase).toBe('waking')
    expect(waking.log.messages('warn')).toEqual([])
    expect(waking.clock.pending).toBe(0)
  })

  it('refuses those who wait with `draining` while another gateway leads as well', async () => {
    const waking = new Waking()
    await waking.coordinator.acquire(waking.identity)
    const call = waking.hold()
    await waking.clock.advance(105)

    await waking.queue[Symbol.asyncDispose]()
    await waking.clock.advance(0)

    expect(call.ended).toBe('draining')
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{outcome="abandoned",role="follower"} 1',
    ])
  })

  it('holds nothing once it is disposed', async () => {
    const waking = new Waking()
    await waking.queue[Symbol.asyncDispose]()

    const call = waking.hold()
    await waking.clock.advance(0)

    expect(call.ended).toBe('draining')
    expect(waking.query.statuses).toEqual([])
  })
})

describe('a held call', () => {
  it('has a deadline of its own, from when it came', async () => {
    const waking = new Waking({ holdTimeoutMs: 10_000 })
    const first = waking.hold()
    await waking.clock.advance(4000)
    const second = waking.hold()

    await waking.clock.advance(6000)
    const after10s = [first.ended, second.ended]
    await waking.clock.advance(4000)

    expect(after10s).toEqual(['cold_start_timeout', undefined])
    expect(second.ended).toBe('cold_start_timeout')
    expect(waking.clock.pending).toBe(0)
  })

  it('is told how long it waited and what was missing', async () => {
    const waking = new Waking({ holdTimeoutMs: 1500 })
    waking.query.labels = { 'com.openfaas.scale.min': '2' }

    const call = waking.hold()
    await waking.clock.advance(1500)

    expect(call.error?.message).toBe(
      'cold start of "echo.fn" exceeded 1.5s (0 of 2 replicas ready); ' +
        'raise its annotation com.pilotlight.hold-timeout or PILOTLIGHT_HOLD_TIMEOUT, or keep a replica running',
    )
  })

  it('stops waiting when its client leaves, and the others wait on', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 200
    const [leaver, stayer] = [waking.hold(), waking.hold()]
    await waking.clock.advance(100)

    leaver.client.leave()
    await waking.clock.advance(0)
    const whenLeft = [leaver.ended, stayer.ended]
    await waking.clock.advance(150)

    expect(whenLeft).toEqual(['client_closed', undefined])
    expect(stayer.ended).toBe('released')
    expect(waking.query.scales).toHaveLength(1)
  })

  it('is not held at all when its client has left before', async () => {
    const waking = new Waking()
    const stayer = waking.hold()
    await waking.clock.advance(50)

    const late = waking.hold()
    late.client.leave()
    const gone = waking.gate.handle(late.exchange, () => Promise.reject(new Error('unreachable')))
    await expect(gone).rejects.toMatchObject({ code: 'client_closed' })
    stayer.client.leave()
    await waking.clock.advance(1000)

    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="abandoned",role="leader"} 1',
    ])
    expect(waking.clock.pending).toBe(0)
  })

  it('ends the wake when it is the last to leave; nothing failed', async () => {
    const waking = new Waking()
    const calls = [waking.hold(), waking.hold()]
    await waking.clock.advance(100)

    for (const call of calls) call.client.leave()
    await waking.clock.advance(0)
    const asked = waking.query.statuses.length
    await waking.clock.advance(10_000)

    expect(waking.query.statuses).toHaveLength(asked)
    expect(waking.state?.phase).toBe('waking')
    expect(waking.log.messages('warn')).toEqual([])
    expect(waking.clock.pending).toBe(0)
  })

  it('begins a new wake at once after everybody left, even while the provider still owes an answer', async () => {
    const waking = new Waking()
    waking.query.answers = Promise.withResolvers<void>().promise
    waking.hold().client.leave()
    waking.query.answers = Promise.resolve()
    waking.query.readyAfterMs = 0

    const call = waking.hold()
    await waking.clock.advance(20)

    expect(call.ended).toBe('released')
    expect(waking.query.scales).toHaveLength(1)
  })
})

describe('the annotation com.pilotlight.hold-timeout', () => {
  const annotations = { 'com.pilotlight.hold-timeout': '2s' }

  it('decides how long a call is held', async () => {
    const waking = new Waking()
    waking.observe({ annotations })
    waking.query.annotations = annotations

    const call = waking.hold()
    await waking.clock.advance(1999)
    const before = call.ended
    await waking.clock.advance(1)

    expect(before).toBeUndefined()
    expect(call.ended).toBe('cold_start_timeout')
  })

  it('counts from the beginning of a hold when it is learnt during the wake', async () => {
    const waking = new Waking()
    const early = waking.hold()
    await waking.clock.advance(1500)

    waking.query.annotations = annotations
    await waking.clock.advance(499)
    const before = early.ended
    await waking.clock.advance(1)

    expect(before).toBeUndefined()
    expect(early.ended).toBe('cold_start_timeout')
    expect(early.exchange.times.heldMs).toBe(2000)
  })

  it('ends the hold at once when it is learnt too late', async () => {
    const waking = new Waking()
    const call = waking.hold()
    await waking.clock.advance(5000)

    waking.query.annotations = annotations
    await waking.clock.advance(200)

    expect(call.ended).toBe('cold_start_timeout')
  })

  it('prolongs a hold as well', async () => {
    const waking = new Waking({ holdTimeoutMs: 1000 })
    waking.query.annotations = { 'com.pilotlight.hold-timeout': '1m' }

    const call = waking.hold()
    await waking.clock.advance(30_000)
    waking.query.becomeReady()
    await waking.clock.advance(1000)

    expect(call.ended).toBe('released')
  })

  it('counts as absent when it is no duration', async () => {
    const waking = new Waking({ holdTimeoutMs: 1000 })
    waking.query.annotations = { 'com.pilotlight.hold-timeout': 'soon' }

    const call = waking.hold()
    await waking.clock.advance(1000)

    expect(call.ended).toBe('cold_start_timeout')
  })
})

describe('the limits of holding', () => {
  it.each([
    ['per function', { maxHeldPerFunction: 2 }, 'maxHeldPerFunction'],
    ['in all', { maxHeldTotal: 2 }, 'maxHeldTotal'],
    ['of memory', { maxHeldBytes: 20_000 }, 'maxHeldBytes'],
  ])('refuse a call %s at once, and none after another has left', async (_, options, named) => {
    const waking = new Waking({ options })
    const [first] = [waking.hold(), waking.hold()]

    const refused = waking.hold()
    await waking.clock.advance(0)
    first.client.leave()
    const admitted = waking.hold()
    await waking.clock.advance(0)

    expect(refused.error).toMatchObject({ code: 'queue_full', retryAfterSeconds: 1 })
    expect(refused.error?.message).toContain(named)
    expect(admitted.ended).toBeUndefined()
    expect(await waking.metricLines('pilotlight_hold_refusals_total')).toEqual([
      'pilotlight_hold_refusals_total{reason="queue_full"} 1',
    ])
    expect(await waking.metricLines('pilotlight_held_requests')).toEqual(['pilotlight_held_requests 2'])
  })

  it('leave other functions alone when one reaches its own', async () => {
    const waking = new Waking({ options: { maxHeldPerFunction: 1 } })
    waking.hold()

    const other = waking.hold(functionIdentity('other', 'fn'))
    await waking.clock.advance(0)

    expect(other.ended).toBeUndefined()
  })

  it('ask the provider for nothing on behalf of a refused call', async () => {
    const waking = new Waking({ options: { maxHeldTotal: 1 } })
    waking.hold()
    await waking.clock.advance(0)

    waking.hold(functionIdentity('other', 'fn'))
    await waking.clock.advance(0)

    expect(waking.query.statuses).toHaveLength(1)
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([])
  })

  it('give back what every kind of ending took', async () => {
    const waking = new Waking({ options: { maxHeldTotal: 4 }, holdTimeoutMs: 1000 })
    waking.hold().client.leave()
    waking.hold(functionIdentity('late', 'fn'))
    await waking.clock.advance(1000)
    waking.query.scaleRefusal = new GatewayError('no_ready_replica', 'no')
    waking.query.desired = 0
    waking.hold(functionIdentity('refused', 'fn'))
    await waking.clock.advance(0)
    waking.query.becomeReady()
    waking.hold(functionIdentity('ready', 'fn'))
    await waking.clock.advance(0)

    expect(await waking.metricLines('pilotlight_held_requests')).toEqual(['pilotlight_held_requests 0'])
  })
})
