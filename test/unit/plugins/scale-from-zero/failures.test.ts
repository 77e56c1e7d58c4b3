import { describe, expect, it } from 'vitest'
import { functionIdentity, GatewayError } from '#core'
import { Waking } from './waking.ts'

const refusal = new GatewayError('no_ready_replica', 'image cannot be pulled')

describe('a function that cannot be started', () => {
  it('is tried again after a back-off that doubles with every failure in a row, up to a limit', async () => {
    const waking = new Waking({ options: { failureBackoff: '1s', failureBackoffMax: '4s' } })
    waking.query.scaleRefusal = refusal
    const pauses: number[] = []

    for (let attempt = 0; attempt < 4; attempt += 1) {
      waking.hold()
      await waking.clock.advance(0)
      const pauseMs = (waking.state?.retryAtMs ?? 0) - waking.clock.nowMs()
      pauses.push(pauseMs)
      await waking.clock.advance(pauseMs)
    }

    expect(pauses).toEqual([1000, 2000, 4000, 4000])
    expect(waking.state?.failures).toBe(4)
  })

  it('refuses callers at once with the reason until then, and asks the provider nothing', async () => {
    const waking = new Waking({ options: { failureBackoff: '8s' } })
    waking.query.scaleRefusal = refusal
    waking.hold()
    await waking.clock.advance(500)
    const asked = waking.query.statuses.length

    const refused = waking.hold()
    await waking.clock.advance(0)

    expect(refused.error).toMatchObject({ code: 'circuit_open', retryAfterSeconds: 7.5 })
    expect(refused.error?.message).toBe('"echo.fn" could not be started: image cannot be pulled')
    expect(waking.query.statuses).toHaveLength(asked)
    expect(await waking.metricLines('pilotlight_hold_refusals_total')).toEqual([
      'pilotlight_hold_refusals_total{reason="circuit_open"} 1',
    ])
  })

  it('is tried by one call at a time; the others are refused meanwhile', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = refusal
    waking.hold()
    await waking.clock.advance(1000)
    waking.query.scaleRefusal = undefined

    const probe = waking.hold()
    await waking.clock.advance(100)
    const other = waking.hold()
    await waking.clock.advance(0)
    waking.query.becomeReady()
    await waking.clock.advance(100)

    expect(other.ended).toBe('circuit_open')
    expect(probe.ended).toBe('released')
  })

  it('is forgiven by readiness: the next failure starts with the first pause', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = refusal
    for (const pauseMs of [1000, 2000]) {
      waking.hold()
      await waking.clock.advance(pauseMs)
    }
    waking.observe({ phase: 'ready', available: 1, desired: 1 })
    waking.observe({ phase: 'zero' })

    waking.hold()
    await waking.clock.advance(0)

    expect(waking.state).toMatchObject({ phase: 'failed', failures: 1 })
  })

  it('lets callers in at once when it is announced ready during the back-off', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = refusal
    waking.hold()
    await waking.clock.advance(0)

    waking.observe({ phase: 'ready', desired: 1, available: 1 })
    const call = waking.pass()
    await waking.clock.advance(0)

    expect(call.ended).toBe('released')
  })

  it('may be tried at once when the wall clock has jumped back by an hour', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = refusal
    waking.hold()
    await waking.clock.advance(10)

    waking.clock.jumpWallClock(-3_600_000)
    waking.query.scaleRefusal = undefined
    waking.query.readyAfterMs = 0
    const call = waking.hold()
    await waking.clock.advance(50)

    expect(call.ended).toBe('released')
  })
})

describe('a function that never becomes ready', () => {
  it('is overdue after the hold timeout: new callers are refused at once, those who wait keep their own deadline', async () => {
    const waking = new Waking({ holdTimeoutMs: 10_000 })
    const first = waking.hold()
    await waking.clock.advance(6_000)
    const second = waking.hold()
    await waking.clock.advance(4_000)

    const late = waking.hold()
    await waking.clock.advance(0)

    expect([first.ended, second.ended, late.ended]).toEqual(['cold_start_timeout', undefined, 'circuit_open'])
    expect(late.error?.message).toBe(
      '"echo.fn" could not be started: it has not become ready for 10s (0 of 1 replicas ready)',
    )
  })

  it('has failed when its last caller ran out of time: the next is refused with how long it took in vain', async () => {
    const waking = new Waking({ holdTimeoutMs: 10_000 })
    waking.hold()
    await waking.clock.advance(10_000)

    const next = waking.hold()
    await waking.clock.advance(0)

    expect(next.ended).toBe('circuit_open')
    expect(waking.state).toMatchObject({
      phase: 'failed',
      failures: 1,
      reason: 'it has not become ready for 10s (0 of 1 replicas ready)',
    })
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="failed",role="leader"} 1',
    ])
  })

  it('has not failed when its callers merely left', async () => {
    const waking = new Waking({ holdTimeoutMs: 10_000 })
    const call = waking.hold()
    await waking.clock.advance(9_000)

    call.client.leave()
    await waking.clock.advance(0)

    expect(waking.state?.phase).toBe('waking')
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="abandoned",role="leader"} 1',
    ])
  })

  it('still releases a late caller whose deadline has not passed', async () => {
    const waking = new Waking({ holdTimeoutMs: 10_000 })
    waking.hold()
    await waking.clock.advance(6_000)
    const second = waking.hold()
    await waking.clock.advance(8_000)

    waking.query.becomeReady()
    await waking.clock.advance(500)

    expect(second.ended).toBe('released')
  })
})

describe('a function of which the provider says why it does not start', () => {
  it('has failed with that reason after crashPatience', async () => {
    const waking = new Waking({ options: { crashPatience: '2s' } })
    const call = waking.hold()
    await waking.clock.advance(1_000)

    waking.query.reason = 'process exited with status 1'
    await waking.clock.advance(1_950)
    const early = call.ended
    await waking.clock.advance(300)
    const next = waking.hold()
    await waking.clock.advance(0)

    expect(early).toBeUndefined()
    expect(call.error).toMatchObject({
      code: 'no_ready_replica',
      message: '"echo.fn" could not be started: process exited with status 1',
    })
    expect(next.error).toMatchObject({
      code: 'circuit_open',
      message: '"echo.fn" could not be started: process exited with status 1',
    })
  })

  it('is released when it starts after all', async () => {
    const waking = new Waking({ options: { crashPatience: '2s' } })
    waking.query.reason = 'process exited with status 1'
    const call = waking.hold()
    await waking.clock.advance(1_500)

    waking.query.becomeReady()
    waking.query.reason = ''
    await waking.clock.advance(200)

    expect(call.ended).toBe('released')
  })
})

describe('a provider that is away', () => {
  it('is waited for as long as providerPatience, then those who wait are told', async () => {
    const waking = new Waking({ options: { providerPatience: '5s' } })
    waking.query.isDown = true

    const calls = [waking.hold(), waking.hold()]
    await waking.clock.advance(4_900)
    const early = calls.map((call) => call.ended)
    await waking.clock.advance(1_000)

    expect(early).toEqual([undefined, undefined])
    expect(calls.map((call) => call.ended)).toEqual(['provider_unavailable', 'provider_unavailable'])
    expect(calls[0]?.error?.message).toBe('the provider did not answer')
    expect(waking.clock.pending).toBe(0)
  })

  it('is not asked by every caller: a shared back-off stands between', async () => {
    const waking = new Waking()
    waking.query.isDown = true
    waking.hold()
    await waking.clock.advance(5_600)
    const asked = waking.query.statuses.length

    const during = Array.from({ length: 100 }, () => waking.hold())
    await waking.clock.advance(0)

    expect(during.every((call) => call.ended === 'circuit_open')).toBe(true)
    expect(waking.query.statuses).toHaveLength(asked)
  })

  it('does not make unknown names known: neither the directory nor the metrics grow with them', async () => {
    const waking = new Waking()
    waking.query.isDown = true

    for (let i = 0; i < 50; i += 1) waking.hold(functionIdentity(`no-such-${i}`, 'fn'))
    await waking.clock.advance(6_000)

    expect([...waking.directory.known()]).toEqual([])
    expect(waking.directory.knows('no-such-1.fn')).toBe(false)
    expect(waking.directory.get('no-such-1.fn')).toMatchObject({ phase: 'failed', failures: 1 })
    expect(await waking.metricLines('no-such')).toEqual([])
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{outcome="failed",role="leader"} 50',
    ])
  })

  it('costs a function that is known no more than the calls of that time', async () => {
    const waking = new Waking()
    waking.observe({ phase: 'zero' })
    waking.query.isDown = true
    waking.hold()
    await waking.clock.advance(6_000)

    expect(waking.directory.knows('echo.fn')).toBe(true)
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{function_name="echo.fn",outcome="failed",role="leader"} 1',
    ])
  })
})

describe('a function that does not exist', () => {
  it('is looked for once, then remembered as absent for absentTtl', async () => {
    const waking = new Waking({ options: { absentTtl: '3s' } })
    waking.query.exists = false
    const first = waking.hold()
    await waking.clock.advance(2_999)
    const second = waking.hold()
    await waking.clock.advance(1)
    const asked = waking.query.statuses.length

    waking.hold()
    await waking.clock.advance(0)

    expect([first.ended, second.ended]).toEqual(['function_not_found', 'function_not_found'])
    expect(asked).toBe(1)
    expect(waking.query.statuses).toHaveLength(2)
    expect(waking.query.scales).toEqual([])
  })

  it('is no failure: no warning, no series of its own', async () => {
    const waking = new Waking()
    waking.query.exists = false

    waking.hold()
    await waking.clock.advance(0)

    expect(waking.log.messages('warn')).toEqual([])
    expect(await waking.metricLines('pilotlight_wakes_total')).toEqual([
      'pilotlight_wakes_total{outcome="absent",role="leader"} 1',
    ])
    expect(await waking.metricLines('echo.fn')).toEqual([])
  })

  it('is found at once after it was deployed', async () => {
    const waking = new Waking()
    waking.query.exists = false
    waking.hold()
    await waking.clock.advance(0)

    waking.query.exists = true
    waking.query.readyAfterMs = 0
    waking.observe({ phase: 'zero' })
    const call = waking.hold()
    await waking.clock.advance(50)

    expect(call.ended).toBe('released')
  })

  it('is forgotten by the directory when it was known', async () => {
    const waking = new Waking()
    waking.observe({ phase: 'zero' })
    waking.query.exists = false

    waking.hold()
    await waking.clock.advance(0)

    expect(waking.directory.knows('echo.fn')).toBe(false)
  })
})

describe('coordination that fails', () => {
  it('still has every caller told why its function did not start', async () => {
    const waking = new Waking()
    waking.query.scaleRefusal = refusal
    waking.coordinator.publish = () => Promise.reject(new Error('connection lost'))

    const call = waking.hold()
    await waking.clock.advance(0)

    expect(call.ended).toBe('internal')
    expect(waking.clock.pending).toBe(0)
  })
})
