import { describe, expect, it } from 'vitest'
import { functionIdentity } from '#core'
import { echo, SimulatedFleet } from './simulated-fleet.ts'

describe('the directory of a gateway of a fleet', () => {
  it('learns with the next question what a lost message would have told', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    other.store.connection.losesMessage = () => true
    const lease = await one.lead()
    await one.fleet.leases.publish(fleet.state({ fence: lease.fence, phase: 'ready', available: 1 }))
    const before = other.phase

    const acquired = await other.fleet.leases.acquire(echo)

    expect(before).toBeUndefined()
    expect(acquired.role).toBe('follower')
    expect(other.phase).toBe('ready')
  })

  it('is not told twice: who knows that the function is ready and asks all the same, leads', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    expect((await other.fleet.leases.acquire(echo)).role).toBe('leader')
  })

  it('is refreshed by an observation that says nothing new, without a call', async () => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    await one.fleet.shared.observe(fleet.state())
    const calls: string[] = []
    one.store.connection.fate = (call) => {
      calls.push(call)
      return 'served'
    }
    const later = fleet.state({ observedAtMs: fleet.clock.nowMs() + 500 })

    await one.fleet.shared.observe(later)

    expect(calls).toEqual([])
    expect(one.directory.get(echo.key)).toEqual(later)
  })

  it('counts a message that was missed', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state())
    other.store.connection.losesMessage = () => true
    await one.fleet.shared.observe(fleet.state({ available: 1 }))
    other.store.connection.losesMessage = () => false
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    expect(other.phase).toBe('ready')
    expect(await other.metricLines('pilotlight_publication_gaps_total')).toEqual([
      'pilotlight_publication_gaps_total 1',
    ])
  })

  it('reads all records again when its subscription was interrupted', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    other.store.interruptSubscription()
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))
    const before = other.phase

    other.store.resubscribe()
    await fleet.clock.advance(1)

    expect([before, other.phase]).toEqual([undefined, 'ready'])
  })

  it('reads all records now and then, as a message may be lost without a trace', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    other.store.connection.losesMessage = ({ kind }) => kind === 'state'
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    await fleet.clock.advance(60_000)

    expect(other.phase).toBe('ready')
  })

  it('does not go back when an answer is overtaken by a message', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    one.store.connection.replyDelayMs = () => 50
    const written = one.fleet.shared.observe(fleet.state())
    await fleet.clock.advance(10)
    await other.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    await fleet.clock.advance(200)
    await written

    expect([one.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('follows a store that went back in time', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state())
    fleet.server.flush()
    fleet.server.skewMs = -3_600_000

    const lease = await one.lead()
    await one.fleet.leases.publish(fleet.state({ fence: lease.fence, phase: 'ready', available: 1 }))
    await fleet.clock.advance(1)

    expect([one.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('survives a flush, and fills the store again once its gateway finds that it has lost its role', async () => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    await one.fleet.election.leads('directory-feed', 10_000)
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    fleet.server.flush()
    await one.fleet.election.leads('directory-feed', 10_000)
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    const late = await fleet.join()
    expect([one.phase, late.phase]).toEqual(['ready', 'ready'])
  })

  it('gives back what the store has lost, so that no warm function is taken for unknown', async () => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    const names = ['a', 'b', 'c'].map((name) => functionIdentity(name, 'fn'))
    for (const identity of names)
      await one.fleet.shared.observe(fleet.state({ identity, phase: 'ready', available: 1 }))

    fleet.server.flush()
    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))
    await fleet.clock.advance(125_000)

    const late = await fleet.join()
    expect(names.map(({ key }) => [one, late].map((each) => each.directory.get(key)?.phase))).toEqual(
      names.map(() => ['ready', 'ready']),
    )
  })

  it('asks the others about a function whose end it has missed; the next listing ends it for all', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    await one.fleet.shared.observe(fleet.state())
    other.store.connection.losesMessage = ({ kind }) => kind === 'gone'
    await one.fleet.shared.forget(echo)
    other.store.connection.losesMessage = () => false
    await fleet.clock.advance(60_000)
    const asked = one.phase

    await one.fleet.shared.forget(echo)

    expect([asked, one.phase, other.phase]).toEqual(['waking', undefined, undefined])
  })

  it('takes a function off the list that turned out not to exist', async () => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    await one.fleet.shared.observe(fleet.state())
    const lease = await one.lead()

    const retryAtMs = fleet.clock.nowMs() + 3_000
    await one.fleet.leases.publish(fleet.state({ fence: lease.fence, phase: 'absent', retryAtMs }))

    expect(fleet.server.records.keys()).toEqual([])
  })

  it('counts no gap for names of which records come and go', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    for (let i = 0; i < 3; i += 1) {
      const lease = await one.lead()
      await one.fleet.leases.publish(fleet.state({ fence: lease.fence, phase: 'failed', observedAtMs: 0 }))
      await one.fleet.leases.release(lease)
      await fleet.clock.advance(120_000)
    }

    expect(await other.metricLines('pilotlight_publication_gaps_total')).toEqual([
      'pilotlight_publication_gaps_total 0',
    ])
  })

  it('goes on although somebody who listens to it fails', async () => {
    const fleet = new SimulatedFleet()
    const [one, other] = [await fleet.join(), await fleet.join()]
    const warned = new Promise((resolve) => process.once('warning', resolve))
    using _broken = other.directory.subscribe(() => {
      throw new Error('a bug')
    })

    await one.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))

    expect(other.phase).toBe('ready')
    expect(String(await warned)).toContain('a bug')
  })

  it.each([
    ['no JSON', 'not json'],
    ['another shape', '{"phase":"ready"}'],
    ['another function', JSON.stringify({ name: 'else', namespace: 'fn', phase: 'ready' })],
    ['a phase nobody knows', JSON.stringify({ name: 'echo', namespace: 'fn', phase: 'asleep' })],
  ])('takes nothing over from a record that is %s, and may lead', async (_, body) => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    const write = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body } as const

    fleet.server.records.write({ origin: 'stranger', key: echo.key }, write)
    await fleet.clock.advance(1)

    expect(one.phase).toBeUndefined()
    expect((await one.fleet.leases.acquire(echo)).role).toBe('leader')
  })

  it('keeps no record of names that do not exist for longer than they are remembered', async () => {
    const fleet = new SimulatedFleet()
    const one = await fleet.join()
    const lease = await one.lead()
    const retryAtMs = fleet.clock.nowMs() + 3_000
    await one.fleet.leases.publish(fleet.state({ fence: lease.fence, phase: 'absent', retryAtMs }))
    await one.fleet.leases.release(lease)

    await fleet.clock.advance(20_000)

    expect(fleet.server.records.at(echo.key).body).toBeUndefined()
    expect(fleet.server.records.keys()).toEqual([])
  })
})
