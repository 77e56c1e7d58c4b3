import { describe, expect, it } from 'vitest'
import { GatewayError } from '#core'
import { busyInstances, fullOfOthers } from './busy-instances.ts'
import { FakeSidecar } from './fake-sidecar.ts'
import { Placing } from './placing.ts'

/** Two instances with a limit of 1: the first works on the call that tries it after its ejection, the second on another one. */
async function oneOnTrial() {
  const placing = new Placing()
  const sidecars = [new FakeSidecar('one', 1), new FakeSidecar('two', 1)]
  const [one] = sidecars
  await placing.report(sidecars)
  const pool = placing.pools.of('echo.fn')
  const candidate = pool?.get('one')
  if (candidate === undefined || one === undefined) throw new Error('there is one')
  pool?.eject(candidate, 'refused')
  await placing.clock.advance(1000)
  const calls = await placing.sendMany(2)
  const trial = calls.find(({ exchange }) => exchange.id === one.oldest.exchange.id)
  if (trial === undefined) throw new Error('one of them tries it')
  return { placing, sidecars, pool, trial }
}

describe('a line of calls', () => {
  it('asks an instance at once whose trial call was answered', async () => {
    const { placing, sidecars, pool } = await oneOnTrial()
    const [one = new FakeSidecar('none')] = sidecars
    const waiting = await placing.send()
    expect(one.asked).toEqual([])

    one.oldest.finish()
    await placing.settle()

    expect(pool?.queue.size).toBe(0)
    expect(one.oldest.exchange.id).toBe(waiting.exchange.id)
  })

  it('asks an instance at once whose trial call was left by its client', async () => {
    const { placing, sidecars, trial } = await oneOnTrial()
    const [one = new FakeSidecar('none')] = sidecars
    await placing.send()

    trial.client.leave()
    one.fail(new GatewayError('client_closed', 'left'))
    await placing.settle()

    expect(one.calls).toHaveLength(1)
  })

  it('keeps its line when the only instance is ejected, and tries the provider with one call', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const waiting = await placing.sendMany(50)
    const pool = placing.pools.of('echo.fn')
    placing.providerStatus = 503

    for (const candidate of pool?.ready ?? []) pool?.eject(candidate, 'refused')
    await placing.clock.advance(500)
    expect([pool?.queue.size, placing.providerCalls]).toEqual([49, 1])
    one.calls.length = 0
    await placing.clock.advance(500)

    expect(one.oldest.exchange.id).toBe(waiting[1]?.exchange.id)
  })

  it('keeps its line while the only instance is unready, and lines up who comes', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const waiting = await placing.sendMany(50)
    const pool = placing.pools.of('echo.fn')
    placing.providerStatus = 503

    await placing.report([one], { phase: 'unready' })
    await placing.send()
    await placing.clock.advance(500)
    expect([pool?.queue.size, placing.providerCalls]).toEqual([50, 1])
    one.calls.length = 0
    await placing.report([one])

    expect(one.oldest.exchange.id).toBe(waiting[1]?.exchange.id)
  })

  it('goes on to try the provider, one call at a time, as long as that answers', async () => {
    const { placing, sidecars } = await busyInstances(1)
    await placing.sendMany(5)
    const [answer, another] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    placing.beforeProvider = () => (placing.providerCalls === 1 ? answer.promise : another.promise)

    await placing.report(sidecars, { phase: 'unready' })
    const before = placing.providerCalls
    answer.resolve()
    await placing.settle()

    expect([before, placing.providerCalls]).toEqual([1, 2])
    another.resolve()
    await placing.settle()
    await placing.settle()
    expect(placing.providerCalls).toBe(5)
  })

  it('asks few of many instances for one call, and gives few slots back', async () => {
    const placing = new Placing()
    const sidecars = await fullOfOthers(placing, 200)

    await placing.send()
    expect(sidecars.filter(({ asked }) => asked.length > 0)).toHaveLength(10)
    for (const one of sidecars) one.freeForeign(1)
    await placing.settle()

    expect(sidecars.reduce((sum, { givenBack }) => sum + givenBack, 0)).toBeLessThan(10)
  })

  it('finds the only idle one of many instances within about a second', async () => {
    const placing = new Placing()
    const sidecars = await fullOfOthers(placing, 200)
    const call = await placing.send()
    const idle = sidecars.findLast(({ asked, attempts }) => asked.length + attempts === 0)

    idle?.freeForeign(1)
    for (let i = 0; i < 22; i += 1) {
      await placing.clock.advance(50)
      // As sidecars do when the time of a question is over.
      for (const one of sidecars) for (const question of one.questions) question.resolve([])
    }

    expect(idle?.calls[0]?.exchange.id).toBe(call.exchange.id)
    expect(Math.max(...sidecars.flatMap(({ asked }) => asked.map(({ waitMs }) => waitMs)))).toBe(50)
  })

  it('asks the instance at once where a call of this gateway ends', async () => {
    const { placing, sidecars } = await busyInstances(40)
    const call = await placing.send()
    const unasked = sidecars.find(({ asked }) => asked.length === 0)

    unasked?.oldest.finish()
    await placing.settle()

    expect(unasked?.calls[0]?.exchange.id).toBe(call.exchange.id)
  })

  it('asks nobody anew who is asked already when another call comes', async () => {
    const placing = new Placing()
    const sidecars = await fullOfOthers(placing, 100)
    await placing.send()

    await placing.send()

    expect(sidecars.filter(({ asked }) => asked.length === 1)).toHaveLength(12)
  })

  it('keeps no slot, nor a place in the line, for a client that does not send its body', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    const slow = { method: 'POST', headers: { 'Content-Length': '10' }, replayBodyBytes: 1024 }
    const [late] = await placing.sendMany(3, slow)
    const normal = await placing.send()

    one.oldest.finish()
    await placing.settle()
    expect(one.oldest.exchange.id).toBe(normal.exchange.id)
    late?.client.send('0123456789')
    late?.client.end()
    await placing.settle()
    one.oldest.finish()
    await placing.settle()

    expect(one.oldest.exchange.id).toBe(late?.exchange.id)
  })

  it('gives the slot of a call back that was never sent', async () => {
    const { placing, sidecars } = await busyInstances(1)
    const [one = new FakeSidecar('none')] = sidecars
    await placing.send()
    const connecting = Promise.withResolvers<void>()
    one.beforeConnecting = () => connecting.promise
    one.oldest.finish()
    await placing.settle()
    expect(one.reserved.size).toBe(1)

    one.refusesCalls = true
    connecting.resolve()
    await placing.settle()

    expect([one.reserved.size, one.givenBack]).toEqual([0, 1])
  })
})
