import { describe, expect, it } from 'vitest'
import { functionIdentity } from '#core'
import { echo, SimulatedFleet } from './simulated-fleet.ts'

const never = new AbortController().signal

describe('a gateway whose store goes away', () => {
  it('decides alone within the time limit of one command, says so once, and joins the others by itself', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()
    gateway.store.connection.fate = () => 'request lost'

    const asked = gateway.fleet.leases.acquire(echo)
    await fleet.clock.advance(100)
    const degraded = await gateway.metricLines('pilotlight_coordination_degraded')
    await fleet.clock.advance(5_000)
    gateway.store.connection.fate = () => 'served'
    await fleet.clock.advance(1_100)

    expect((await asked).role).toBe('leader')
    expect(degraded).toEqual(['pilotlight_coordination_degraded 1'])
    expect(await gateway.metricLines('pilotlight_coordination_degraded')).toEqual([
      'pilotlight_coordination_degraded 0',
    ])
    expect(gateway.log.lines.map(({ level, message }) => [level, message])).toEqual([
      ['info', 'gateways decide together by Redis'],
      ['warn', 'Redis cannot be used: this gateway decides alone until it can'],
      ['info', 'Redis can be used again: gateways decide together'],
    ])
  })

  it('notices by itself, without a call', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()

    fleet.server.stop()
    await fleet.clock.advance(1_100)

    expect(await gateway.metricLines('pilotlight_coordination_degraded')).toEqual([
      'pilotlight_coordination_degraded 1',
    ])
  })

  it('starts without it', async () => {
    const fleet = new SimulatedFleet()
    fleet.server.stop()
    const joining = fleet.join()
    await fleet.clock.advance(1_000)

    const gateway = await joining

    expect(gateway.log.lines.map(({ level }) => level)).toEqual(['warn'])
    expect((await gateway.fleet.leases.acquire(echo)).role).toBe('leader')
  })

  it('joins nobody while messages do not arrive, though commands are answered', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()

    gateway.store.connection.losesMessage = () => true
    await fleet.clock.advance(10_000)

    expect(await gateway.metricLines('pilotlight_coordination_degraded')).toEqual([
      'pilotlight_coordination_degraded 1',
    ])
  })

  it('sends no further call into the void', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()
    fleet.server.stop()
    await gateway.fleet.leases.acquire(echo)
    const calls: string[] = []
    gateway.store.connection.fate = (call) => {
      calls.push(call)
      return 'request lost'
    }
    fleet.server.start()

    await gateway.fleet.shared.observe(fleet.state())
    await gateway.fleet.shared.announceReady(echo)

    expect(calls).toEqual([])
    expect(gateway.phase).toBe('ready')
  })

  it('has followers ask again at once: here, somebody may lead now', async () => {
    const fleet = new SimulatedFleet()
    const [leader, follower] = [await fleet.join(), await fleet.join()]
    await leader.lead()
    const followed = await follower.fleet.leases.acquire(echo)
    const waiting = followed.role === 'follower' ? followed.again(never) : undefined

    fleet.server.stop()
    await follower.fleet.leases.publish(fleet.state())
    await waiting

    expect((await follower.fleet.leases.acquire(echo)).role).toBe('leader')
  })

  it('keeps the lease it had, and gives it up when somebody has taken it over meanwhile', async () => {
    const fleet = new SimulatedFleet()
    const [leader, other] = [await fleet.join(), await fleet.join()]
    const lease = await leader.lead()
    leader.store.connection.fate = () => 'request lost'
    const renewed = leader.fleet.leases.renew(lease)
    await fleet.clock.advance(100)
    const whileAway = [await renewed, await leader.fleet.leases.renew(lease)]
    await fleet.clock.advance(1_500)
    const next = await other.lead()

    leader.store.connection.fate = () => 'served'
    await fleet.clock.advance(1_100)

    expect(whileAway).toEqual([true, true])
    expect(next.fence).toBeGreaterThan(lease.fence)
    expect(await leader.fleet.leases.renew(lease)).toBe(false)
    expect(await other.metricLines('pilotlight_lease_takeovers_total')).toEqual(['pilotlight_lease_takeovers_total 1'])
  })

  it('leads with fences above those that the fleet has given out before', async () => {
    const fleet = new SimulatedFleet()
    fleet.server.skewMs = 60_000
    const gateway = await fleet.join()
    const lease = await gateway.lead()
    await gateway.fleet.leases.publish(fleet.state({ fence: lease.fence }))
    await gateway.fleet.leases.release(lease)
    fleet.server.stop()

    const alone = await gateway.lead()
    fleet.server.start()
    await gateway.fleet.leases.publish(fleet.state({ fence: alone.fence, phase: 'ready' }))
    await gateway.fleet.leases.release(alone)
    await fleet.clock.advance(1_100)

    expect(alone.fence).toBeGreaterThan(lease.fence)
    expect((await gateway.fleet.leases.acquire(echo, alone.fence + 7)).role).toBe('leader')
  })

  it('tells the others afterwards what it has found alone', async () => {
    const fleet = new SimulatedFleet()
    const [gateway, other] = [await fleet.join(), await fleet.join()]
    gateway.store.connection.fate = () => 'request lost'
    const first = gateway.fleet.leases.acquire(echo)
    await fleet.clock.advance(100)
    await first
    await gateway.fleet.leases.publish(fleet.state({ phase: 'ready', available: 1, fence: 1 }))

    gateway.store.connection.fate = () => 'served'
    await fleet.clock.advance(1_100)

    expect([gateway.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('believes another one who has written meanwhile more than what it has found alone', async () => {
    const fleet = new SimulatedFleet()
    const [gateway, other] = [await fleet.join(), await fleet.join()]
    gateway.store.connection.fate = () => 'request lost'
    gateway.store.connection.losesMessage = () => true
    const first = gateway.fleet.leases.acquire(echo)
    await fleet.clock.advance(100)
    await first
    await gateway.fleet.leases.publish(
      fleet.state({ phase: 'failed', reason: 'the provider did not answer', fence: 2 }),
    )
    await other.fleet.leases.publish(fleet.state({ phase: 'ready', available: 1, fence: 1 }))

    gateway.store.connection.fate = () => 'served'
    gateway.store.connection.losesMessage = () => false
    await fleet.clock.advance(1_100)

    expect([gateway.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('has the others forget afterwards what was removed meanwhile', async () => {
    const fleet = new SimulatedFleet()
    const [gateway, other] = [await fleet.join(), await fleet.join()]
    await gateway.fleet.shared.observe(fleet.state())
    gateway.store.connection.fate = () => 'request lost'
    const forgotten = gateway.fleet.shared.forget(echo)
    await fleet.clock.advance(100)
    await forgotten

    gateway.store.connection.fate = () => 'served'
    await fleet.clock.advance(1_100)

    expect([gateway.phase, other.phase]).toEqual([undefined, undefined])
  })

  it('holds every role', async () => {
    const fleet = new SimulatedFleet()
    const [holder, other] = [await fleet.join(), await fleet.join()]
    await holder.fleet.election.leads('feed', 5_000)
    fleet.server.stop()

    expect(await Promise.all([holder, other].map((one) => one.fleet.election.leads('feed', 5_000)))).toEqual([
      true,
      true,
    ])
  })

  it('leaves no timer behind when it is closed', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()
    fleet.server.stop()
    await gateway.fleet.leases.acquire(echo)

    await gateway[Symbol.asyncDispose]()
    await fleet.clock.advance(0)

    expect(fleet.clock.pending).toBe(0)
  })

  it('says why it cannot be used, at the start too', async () => {
    const fleet = new SimulatedFleet()
    fleet.server.stop()
    const joining = fleet.join()
    await fleet.clock.advance(1_000)

    const { log } = await joining

    expect(log.lines).toMatchObject([{ level: 'warn', fields: { err: { code: 'lease_store_unavailable' } } }])
  })

  it('has nothing to tell afterwards of names that nobody knows', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()
    fleet.server.stop()
    await gateway.fleet.leases.acquire(echo)
    for (let i = 0; i < 100; i += 1) {
      const identity = functionIdentity(`unknown-${i}`, 'fn')
      const retryAtMs = fleet.clock.nowMs() + 3_000
      await gateway.fleet.leases.publish(fleet.state({ identity, fence: 1, phase: 'absent', retryAtMs }))
    }

    fleet.server.start()
    await fleet.clock.advance(5_000)

    expect(await gateway.metricLines('pilotlight_coordination_degraded')).toEqual([
      'pilotlight_coordination_degraded 0',
    ])
    expect(fleet.server.published).toEqual([])
  })

  it('reads all records again when its subscription begins anew while it reads them', async () => {
    const fleet = new SimulatedFleet()
    const [gateway, other] = [await fleet.join(), await fleet.join()]
    await other.fleet.shared.observe(fleet.state({ phase: 'ready', available: 1 }))
    gateway.store.connection.fate = () => 'request lost'
    const asked = gateway.fleet.leases.acquire(echo)
    await fleet.clock.advance(100)
    await asked
    gateway.store.connection.replyDelayMs = () => 20
    let told: Promise<void> | undefined
    gateway.store.connection.fate = (call) => {
      // Its answer is on the way when the change is made.
      if (call === 'read' && told === undefined) {
        gateway.store.interruptSubscription()
        told = Promise.resolve().then(() => other.fleet.shared.observe(fleet.state({ phase: 'zero', desired: 0 })))
        void told.then(() => gateway.store.resubscribe())
      }
      return 'served'
    }

    await fleet.clock.advance(5_000)

    expect(await gateway.metricLines('pilotlight_coordination_degraded')).toEqual([
      'pilotlight_coordination_degraded 0',
    ])
    expect(gateway.phase).toBe('zero')
  })

  it('does not take back what it finds out while it tells what it found before', async () => {
    const fleet = new SimulatedFleet()
    const [gateway, other] = [await fleet.join(), await fleet.join()]
    gateway.store.connection.fate = () => 'request lost'
    const asked = gateway.fleet.leases.acquire(echo)
    await fleet.clock.advance(100)
    await asked
    await gateway.fleet.leases.publish(fleet.state({ phase: 'waking', fence: 1 }))
    gateway.store.connection.fate = () => 'served'
    gateway.store.connection.replyDelayMs = () => 30
    const untilTold = async (): Promise<void> => {
      while (other.phase !== 'waking') await fleet.clock.advance(1)
    }
    await untilTold()

    await gateway.fleet.leases.publish(fleet.state({ phase: 'ready', available: 1, fence: 1 }))
    await fleet.clock.advance(2_000)

    expect([gateway.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('does not flap when the store works now and then: at most so many attempts a minute', async () => {
    const fleet = new SimulatedFleet()
    const gateway = await fleet.join()
    gateway.store.connection.fate = (call) => (call === 'acquire' ? 'request lost' : 'served')

    for (let i = 0; i < 300; i += 1) {
      void gateway.fleet.leases.acquire(functionIdentity(`f-${i}`, 'fn'))
      await fleet.clock.advance(100)
    }

    const joins = gateway.log.lines.filter(({ message }) => message.includes('decide together'))
    expect(joins.length).toBeLessThanOrEqual(20)
    expect(joins.length).toBeGreaterThan(5)
  })
})
