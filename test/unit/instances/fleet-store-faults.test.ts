import { describe, expect, it } from 'vitest'
import { SimulatedGateways } from './simulated-gateways.ts'

async function ofTwo() {
  const fleet = new SimulatedGateways()
  const [one, other] = await fleet.joinAll({}, {})
  return { fleet, clock: fleet.clock, server: fleet.server, one, other }
}

describe('FleetInstances and a store that fails', () => {
  it('keep what they were told by others while it is away', async () => {
    const { clock, server, one, other } = await ofTwo()
    await one.take({ revision: 1 })
    server.stop()

    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(3_000)
      await one.take({ revision: 1 })
    }

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
  })

  it('forget meanwhile who reports to them and falls silent', async () => {
    const { clock, server, one, other } = await ofTwo()
    await one.take({ revision: 1 })
    server.stop()
    await clock.advance(200)
    await one.take({ revision: 1 })

    await clock.advance(11_000)

    expect([one.ready, other.ready]).toEqual([[], ['a']])
  })

  it('do not take for the word of others what they have told themselves', async () => {
    const { clock, server, one } = await ofTwo()
    await one.take({ revision: 1 })
    await one.take({ revision: 1, load: { inFlight: 1 } })
    await clock.advance(1_500)
    server.stop()

    await clock.advance(12_000)

    expect(one.ready).toEqual([])
  })

  it('tell each other what they have missed when it is back, empty', async () => {
    const { clock, server, one, other } = await ofTwo()
    await one.take({ id: 'a', revision: 1 })
    server.stop()
    server.flush()
    await one.take({ id: 'b', revision: 1 })
    await other.take({ id: 'c', revision: 1 })
    await clock.advance(2_000)
    await one.take({ id: 'a', revision: 1 })

    server.start()
    await clock.advance(2_500)

    expect([one.ready, other.ready]).toEqual([
      ['a', 'b', 'c'],
      ['a', 'b', 'c'],
    ])
    expect(
      server.records.entries
        .all()
        .map(({ key }) => key)
        .toSorted(),
    ).toEqual(['g/gateway-1', 'g/gateway-2', 'i/a', 'i/b', 'i/c'])
  })

  it('put everything again that it has lost, though nobody noticed', async () => {
    const { fleet, clock, server, one, other } = await ofTwo()
    await one.take({ id: 'a', revision: 1 })
    await other.take({ id: 'b', revision: 1 })
    server.flush()

    for (let beat = 0; beat < 2; beat += 1) {
      await one.take({ id: 'a', revision: 1 })
      await other.take({ id: 'b', revision: 1 })
      await clock.advance(3_000)
    }

    expect(server.records.entries.all().map(({ key }) => key)).toEqual(expect.arrayContaining(['g/gateway-1', 'i/b']))
    expect((await fleet.join()).ready).toEqual(['a', 'b'])
    expect([one.ready, other.ready]).toEqual([
      ['a', 'b'],
      ['a', 'b'],
    ])
  })

  it('forget soon after it is back who died while it was away', async () => {
    const { clock, server, one, other } = await ofTwo()
    await one.take()
    server.stop()
    await clock.advance(60_000)
    const before = other.ready

    server.start()
    await clock.advance(15_000)

    expect(before).toEqual(['a'])
    expect([one.ready, other.ready]).toEqual([[], []])
  })

  it('catch up after a subscription that was broken', async () => {
    const { clock, one, other } = await ofTwo()
    await one.take({ id: 'a', revision: 1 })
    other.store.interruptSubscription()
    await one.take({ id: 'b', revision: 1 })
    await one.take({ id: 'a', revision: 2, phase: 'unready' })

    other.store.resubscribe()
    await clock.advance(1_500)

    expect(other.ready).toEqual(['b'])
  })

  it('catch up within a minute with a message that was lost', async () => {
    const { clock, one, other } = await ofTwo()
    other.store.connection.losesMessage = (message) => message.kind === 'entry'
    await one.take({ revision: 1 })
    other.store.connection.losesMessage = () => false
    const before = other.ready

    for (let beat = 0; beat < 21; beat += 1) {
      await clock.advance(3_000)
      await one.take({ revision: 1 })
    }

    expect(before).toEqual([])
    expect(other.ready).toEqual(['a'])
  })

  it.each(['request lost', 'reply lost'] as const)('take a report alone when its %s on the way', async (fate) => {
    const { clock, one, other } = await ofTwo()
    one.store.connection.fate = (call) => (call === 'putEntry' ? fate : 'served')

    const taken = one.take({ revision: 1 })
    await clock.advance(100)
    await taken
    one.store.connection.fate = () => 'served'
    await clock.advance(3_000)

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
  })

  it('tell also what was reported while they were telling what the others had missed', async () => {
    const { clock, server, one, other } = await ofTwo()
    server.stop()
    server.flush()
    await clock.advance(1_500)
    one.store.connection.replyDelayMs = () => 30
    server.start()
    const hasBegun = (): boolean => server.records.entries.all().some(({ key }) => key === 'g/gateway-1')
    for (let step = 0; step < 200 && !hasBegun(); step += 1) await clock.advance(10)

    await one.take()
    await clock.advance(500)

    expect(other.ready).toEqual(['a'])
  })

  it('go back to an older store and bring it up to date', async () => {
    const { fleet, clock, server, one, other } = await ofTwo()
    await one.take({ revision: 1 })
    await one.take({ revision: 2, phase: 'unready' })
    server.stop()
    server.failOver({ lostWrites: 1, skewMs: -2_000 })
    server.start()
    await clock.advance(3_000)

    expect([one.ready, other.ready, (await fleet.join()).ready]).toEqual([[], [], []])
  })

  it('share ten thousand instances with who joins, without a pause that calls would notice', async () => {
    const { fleet, clock, one } = await ofTwo()
    for (let at = 0; at < 10_000; at += 1) await one.take({ id: `i${at}`, name: `f${at % 100}`, revision: 1 })
    await clock.advance(1_000)
    let longestMs = 0
    let lastMs = performance.now()
    const watch = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - lastMs)
      lastMs = performance.now()
    }, 1)

    const late = await fleet.join()
    for (let turn = 0; turn < 100 && late.known.length < 10_000; turn += 1) await clock.advance(0)
    clearInterval(watch)

    expect(late.known).toHaveLength(10_000)
    expect(late.instances.directory.ready('f7.fn')).toHaveLength(100)
    // Several times what one turn takes on a busy machine.
    expect(longestMs).toBeLessThan(500)
  })
})
