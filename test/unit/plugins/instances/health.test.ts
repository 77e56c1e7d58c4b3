import { describe, expect, it } from 'vitest'
import { Health } from '../../../../plugins/instances/placement/health.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeSidecar } from './fake-sidecar.ts'
import { Placing } from './placing.ts'

function someHealth(random = () => 0) {
  const clock = new FakeClock()
  return { clock, health: new Health({ clock, random }) }
}

describe('Health', () => {
  it('ejects at once what refuses, and admits one trial call after a second', async () => {
    const { clock, health } = someHealth()
    expect(health.eject(health.generation)).toBe(true)
    expect(health.admits).toBe(false)

    await clock.advance(999)
    expect(health.admits).toBe(false)
    await clock.advance(1)
    expect(health.admits).toBe(true)
    health.begin()

    expect(health.admits).toBe(false)
    health.succeeded(health.generation)
    expect([health.admits, health.isEjected]).toEqual([true, false])
  })

  it('ejects after the third failure in a row', () => {
    const { health } = someHealth()

    expect([health.failed(health.generation, false), health.failed(health.generation, false)]).toEqual([false, false])
    health.succeeded(health.generation)
    expect([
      health.failed(health.generation, false),
      health.failed(health.generation, false),
      health.failed(health.generation, false),
    ]).toEqual([false, false, true])
  })

  it('never ejects the last one for failures', () => {
    const { health } = someHealth()

    for (let i = 0; i < 10; i += 1) expect(health.failed(health.generation, true)).toBe(false)
    expect(health.admits).toBe(true)
  })

  it('doubles the pause with each trial that fails, up to 30 s, and starts over after a good one', async () => {
    const { clock, health } = someHealth()
    const pauses: number[] = []
    health.eject(health.generation)
    for (let i = 0; i < 7; i += 1) {
      pauses.push(health.pauseMs)
      await clock.advance(health.pauseMs)
      health.begin()
      if (i % 2 === 0) health.eject(health.generation)
      else health.failed(health.generation, true)
    }
    await clock.advance(health.pauseMs)
    health.begin()
    health.succeeded(health.generation)
    health.eject(health.generation)

    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000])
    expect(health.pauseMs).toBe(1000)
  })

  it('shortens pauses at random by up to a fifth', () => {
    const { health } = someHealth(() => 0.5)

    health.eject(health.generation)

    expect(health.pauseMs).toBe(900)
  })

  it('counts what many calls find out together once', async () => {
    const { clock, health } = someHealth()
    for (let i = 0; i < 100; i += 1) health.begin()
    health.eject(health.generation)
    for (let i = 0; i < 50; i += 1) health.eject(health.generation)
    for (let i = 0; i < 49; i += 1) health.failed(health.generation, false)

    expect(health.pauseMs).toBe(1000)
    await clock.advance(1000)
    expect(health.admits).toBe(true)
  })

  it('stays ejected when a call is answered, cut, or left by its client, that began before', async () => {
    const { clock, health } = someHealth()
    const early = health.begin()
    health.eject(health.begin())

    expect([health.succeeded(early), health.isEjected]).toEqual([false, true])
    await clock.advance(1000)
    const trial = health.begin()
    health.failed(early, false)
    health.eject(early)
    expect([health.end(early), health.admits]).toEqual([false, false])
    expect(health.succeeded(trial)).toBe(true)
    expect(health.admits).toBe(true)
  })

  it('says when the end of a call has it admit another one', async () => {
    const { clock, health } = someHealth()
    expect([health.end(health.begin()), health.succeeded(health.begin())]).toEqual([false, false])
    health.eject(health.generation)
    await clock.advance(1000)

    expect(health.end(health.begin())).toBe(true)
  })

  it('admits another trial when one ends without proof', async () => {
    const { clock, health } = someHealth()
    health.eject(health.generation)
    await clock.advance(1000)
    health.begin()

    health.end(health.generation)

    expect(health.admits).toBe(true)
  })
})

describe('ejection', () => {
  it('is forgotten when the instance reports something new', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    one.isDown = true
    await placing.report([one])
    await placing.send()
    one.isDown = false
    expect((await placing.send()).end).toBe('provider')

    await placing.report([one])
    await placing.send()

    expect(one.calls).toHaveLength(1)
  })

  it('lets one call at a time try an instance on probation', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    one.isDown = true
    await placing.report([one])
    await placing.send()
    one.isDown = false
    await placing.clock.advance(1000)

    const [trial, beside] = await placing.sendMany(2)
    expect([trial?.end, beside?.end]).toEqual([undefined, 'provider'])
    one.oldest.finish()
    await placing.settle()
    await placing.sendMany(2)

    expect(one.calls).toHaveLength(2)
  })

  it('takes no more than a third of the instances out for calls that run out of time', async () => {
    let draws = 0
    const placing = new Placing({ random: () => (draws++ % 11) / 11 })
    const sidecars = Array.from({ length: 9 }, (_, i) => new FakeSidecar(`instance-${i}`))
    for (const one of sidecars) one.lateCalls = 1000
    await placing.report(sidecars)

    for (let i = 0; i < 100; i += 1) await placing.send()

    const ready = placing.pools.of('echo.fn')?.ready ?? []
    expect(ready.filter(({ health }) => health.isEjected)).toHaveLength(3)
  })

  it('blames no instance for a call that ran out of time while its client still sent the body', async () => {
    const placing = new Placing()
    const sidecars = [new FakeSidecar('one'), new FakeSidecar('two')]
    for (const one of sidecars) one.lateCalls = 1000
    await placing.report(sidecars)

    const calls = await placing.sendMany(10, { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } })

    expect(new Set(calls.map(({ end }) => end))).toEqual(new Set(['upstream_timeout']))
    expect(await placing.metricLines('ejections_total{cause="failed"')).toEqual([expect.stringMatching(/ 0$/)])
  })

  it('spares the last instance that still accepts connections', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    await placing.report([one, two])
    one.cuts = 100
    two.cuts = 100
    for (let i = 0; i < 10; i += 1) await placing.send({ method: 'POST' })

    expect(await placing.metricLines('ejections_total{cause="failed"')).toEqual([expect.stringMatching(/ 1$/)])
    expect(placing.providerCalls).toBe(0)
  })
})
