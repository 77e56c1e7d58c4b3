import { describe, expect, it } from 'vitest'
import { gatewayHeader, instanceHeader, headerValue, refusalHeader } from '#core'
import { FakeSidecar } from './fake-sidecar.ts'
import { Placing } from './placing.ts'

describe('Placement', () => {
  it('lets calls of functions without instances go to the provider as they are', async () => {
    const placing = new Placing()

    const call = await placing.send()

    expect(call.end).toBe('provider')
    expect(placing.providerCalls).toBe(1)
    expect(await placing.metricLines('pilotlight_upstream_calls_total')).toEqual([
      'pilotlight_upstream_calls_total{upstream="instance"} 0',
      'pilotlight_upstream_calls_total{upstream="provider"} 1',
    ])
  })

  it('sends calls to a ready instance, and says who sends them', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    await placing.report([one])

    const call = await placing.send()
    one.oldest.finish()
    await placing.settle()

    expect(call.end).toBe('one')
    expect(placing.providerCalls).toBe(0)
    expect(await placing.metricLines('upstream="instance"')).toEqual([
      'pilotlight_upstream_calls_total{upstream="instance"} 1',
    ])
  })

  it('sends the address, not the name of the function, and no slot where none is needed', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    await placing.report([one])

    await placing.send()

    const { upstream } = one.oldest.exchange
    expect(upstream).toMatchObject({ origin: 'http://10.0.0.1:8080', kind: 'instance', basePath: '' })
    expect(headerValue(upstream?.headers ?? [], gatewayHeader)).toBe('gateway-a')
    expect(headerValue(upstream?.headers ?? [], instanceHeader)).toBe('one')
    expect(upstream?.headers).toHaveLength(4)
    one.oldest.finish()
  })

  it.each(['starting', 'unready', 'leaving'] as const)('sends nothing to an instance that is %s', async (phase) => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    await placing.report([one], { phase })

    expect((await placing.send()).end).toBe('provider')
    expect(one.attempts).toBe(0)
  })

  it('takes the one of two that has fewer of its calls', async () => {
    let draws = 0
    const placing = new Placing({ random: () => (draws++ % 7) / 7 })
    const sidecars = ['a', 'b', 'c', 'd'].map((id) => new FakeSidecar(id))
    await placing.report(sidecars)

    await placing.sendMany(400)

    const counts = sidecars.map(({ calls }) => calls.length)
    expect(Math.max(...counts) - Math.min(...counts)).toBeLessThanOrEqual(6)
  })

  it('finds the only instance that has room, however many have none', async () => {
    const placing = new Placing()
    const sidecars = Array.from({ length: 9 }, (_, i) => new FakeSidecar(`limited-${i}`, 1))
    await placing.report(sidecars)

    await placing.sendMany(9)

    expect(sidecars.map(({ calls }) => calls.length)).toEqual(sidecars.map(() => 1))
    expect(sidecars.flatMap(({ asked }) => asked)).toEqual([])
  })

  it('counts a call until its answer has ended', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one', 1), new FakeSidecar('two', 1)]
    await placing.report([one, two])
    await placing.sendMany(2)
    one.oldest.finish()
    await placing.settle()

    await placing.send()

    expect([one.calls.length, two.calls.length]).toEqual([1, 1])
    expect([one.attempts, two.attempts]).toEqual([2, 1])
  })

  it.each(['full', 'draining', 'not_ready', 'mistaken'] as const)(
    'goes elsewhere when an instance is %s',
    async (reason) => {
      const placing = new Placing()
      const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
      one.refuses = reason
      await placing.report([one, two])

      const call = await placing.send({ method: 'POST', headers: { 'Content-Length': '0' } })
      two.oldest.finish()
      await placing.settle()

      expect(call.end).toBe('two')
      expect(one.attempts).toBe(1)
      expect(await placing.metricLines(`refusals_total{reason="${reason}"`)).toEqual([expect.stringMatching(/ 1$/)])
    },
  )

  it('leaves an instance that drains alone from then on, and one that was full not', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    one.refuses = 'draining'
    await placing.report([one, two])

    await placing.sendMany(5)

    expect([one.attempts, two.attempts]).toEqual([1, 5])
  })

  it("never takes a function's own 503 for a refusal", async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    await placing.report([one, two])

    const call = await placing.send()
    one.oldest.finish(503)
    await placing.settle()

    expect(call.reply?.status).toBe(503)
    expect(call.end).toBe('one')
    expect(two.attempts).toBe(0)
  })

  it('goes elsewhere when an instance accepts no connection, whatever the method', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    one.isDown = true
    await placing.report([one, two])

    const call = await placing.send({ method: 'POST' })
    two.oldest.finish()
    await placing.settle()

    expect(call.end).toBe('two')
  })

  it('falls back on the provider when no instance accepts a connection', async () => {
    const placing = new Placing()
    const sidecars = ['one', 'two', 'three'].map((id) => new FakeSidecar(id))
    for (const one of sidecars) one.isDown = true
    await placing.report(sidecars)

    const call = await placing.send({ method: 'POST' })

    expect(call.end).toBe('provider')
    expect(sidecars.map(({ attempts }) => attempts)).toEqual([1, 1, 1])
  })

  it.each([0, 1])('goes to the provider after eight of many dead instances with a limit of %i', async (limit) => {
    const placing = new Placing()
    const sidecars = Array.from({ length: 20 }, (_, i) => new FakeSidecar(`dead-${i}`, limit))
    for (const one of sidecars) one.isDown = true
    await placing.report(sidecars)

    const call = await placing.send({ method: 'POST' })

    expect(call.end).toBe('provider')
    expect(sidecars.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(8)
  })

  it('goes to the provider after two instances that let their connections run out of time', async () => {
    const placing = new Placing()
    const sidecars = Array.from({ length: 4 }, (_, i) => new FakeSidecar(`away-${i}`))
    for (const one of sidecars) {
      one.isDown = true
      one.beforeConnecting = () => placing.clock.sleep(3000)
    }
    await placing.report(sidecars)

    const call = await placing.send()
    await placing.clock.advance(6000)

    expect(call.end).toBe('provider')
    expect(sidecars.reduce((sum, { attempts }) => sum + attempts, 0)).toBe(2)
  })

  it('falls back on the provider when all refuse calls because they drain', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one', 1), new FakeSidecar('two', 1)]
    one.refuses = 'draining'
    two.refuses = 'not_ready'
    await placing.report([one, two])

    expect((await placing.send()).end).toBe('provider')
  })

  it('repeats a cut GET at one other instance, and no POST', async () => {
    const placing = new Placing()
    const sidecars = ['one', 'two', 'three'].map((id) => new FakeSidecar(id))
    for (const one of sidecars) one.cuts = 10
    await placing.report(sidecars)

    const get = await placing.send()
    const attemptsOfGet = sidecars.reduce((sum, one) => sum + one.attempts, 0)
    const post = await placing.send({ method: 'POST' })

    expect([get.end, attemptsOfGet]).toEqual(['upstream_failed', 2])
    expect([post.end, sidecars.reduce((sum, one) => sum + one.attempts, 0)]).toEqual(['upstream_failed', 3])
    expect(placing.providerCalls).toBe(0)
  })

  it.each([
    ['it is answered', 1, undefined],
    ['the caller is told when that is cut, too', 2, 'upstream_failed'],
  ])('repeats a cut GET at the same instance when there is no other one, and %s', async (_, cuts, end) => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    one.cuts = cuts
    await placing.report([one])

    expect((await placing.send()).end).toBe(end)
    expect([one.attempts, placing.providerCalls]).toEqual([2, 0])
  })

  it('does not repeat what ran out of time', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    one.lateCalls = 1
    await placing.report([one, two])

    expect((await placing.send()).end).toBe('upstream_timeout')
    expect(two.attempts).toBe(0)
  })

  it('sends a streamed body elsewhere as long as none of it was read, and refuses its call after that', async () => {
    const placing = new Placing()
    const [one, two] = [new FakeSidecar('one'), new FakeSidecar('two')]
    one.refuses = 'not_ready'
    await placing.report([one, two])
    const streamed = { method: 'POST', headers: { 'Transfer-Encoding': 'chunked' } }

    const untouched = await placing.send(streamed)
    two.oldest.finish()
    await placing.report([one])
    one.readsBodies = true
    const touched = await placing.send(streamed)

    expect(untouched.end).toBe('two')
    expect(touched.end).toBe('no_ready_replica')
    expect(one.attempts).toBe(2)
  })

  it('hands refusals to nobody', async () => {
    const placing = new Placing()
    const one = new FakeSidecar('one')
    one.refuses = 'full'
    await placing.report([one])

    const call = await placing.send()

    expect(call.end).toBe('provider')
    expect(headerValue(call.reply?.headers ?? [], refusalHeader)).toBeUndefined()
  })

  it('has connections to instances closed that leave, unless another one is there by now', async () => {
    const placing = new Placing()
    const [one, two, successor] = [new FakeSidecar('one'), new FakeSidecar('two'), new FakeSidecar('successor')]
    await placing.report([one, two])

    await placing.report([one], { phase: 'leaving', address: '10.0.0.1' })
    expect(placing.forgotten).toEqual(['http://10.0.0.1:8080'])
    await placing.report([successor], { address: '10.0.0.1' })
    await placing.report([one], { phase: 'leaving', address: '10.0.0.1' })
    expect(placing.forgotten).toHaveLength(1)
    await placing.expire()

    expect(new Set(placing.forgotten)).toEqual(new Set(['http://10.0.0.1:8080', 'http://10.0.0.2:8080']))
    expect(placing.pools.of('echo.fn')).toBeUndefined()
    expect((await placing.send()).end).toBe('provider')
  })
})
