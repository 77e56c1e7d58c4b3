import { describe, expect, it } from 'vitest'
import { Waking } from './waking.ts'

describe('WakeQueue', () => {
  it('has a function scaled once for 300 callers, and releases them all when it is ready', async () => {
    const waking = new Waking()
    waking.query.readyAfterMs = 200

    const calls = Array.from({ length: 300 }, () => waking.hold())
    await waking.clock.advance(190)
    const early = calls.filter((call) => call.ended !== undefined).length
    await waking.clock.advance(30)

    expect(early).toBe(0)
    expect(calls.every((call) => call.ended === 'released')).toBe(true)
    expect(waking.query.scales).toHaveLength(1)
    expect(waking.state).toMatchObject({ phase: 'ready', desired: 1, available: 1 })
    expect(waking.clock.pending).toBe(0)
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
      'pilotlight_wakes_total{function_name="echo.fn",outcome="ready"} 1',
    ])
    expect(waking.clock.pending).toBe(0)
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
})
