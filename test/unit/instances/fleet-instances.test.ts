import { describe, expect, it } from 'vitest'
import { isOutdated, signReport } from '#core'
import { instanceKey, reportOf } from '../../support/instance-reports.ts'
import { SimulatedGateways } from './simulated-gateways.ts'

const fleetOf = async (gateways: number) => {
  const fleet = new SimulatedGateways()
  const all = []
  for (let count = 0; count < gateways; count += 1) all.push(await fleet.join())
  await fleet.clock.advance(1_000)
  const [one, other, third] = all
  if (one === undefined) throw new Error('a fleet has gateways')
  return { fleet, clock: fleet.clock, server: fleet.server, one, other: other ?? one, third: third ?? one }
}

describe('FleetInstances', () => {
  it('know in every gateway what one was told, when it has answered', async () => {
    const { one, other } = await fleetOf(2)

    const receipt = await one.take({ limit: 4, load: { inFlight: 2, streams: 1 } })

    expect(receipt).toEqual({ ttlMs: 10_000, acknowledged: 0, silent: 0 })
    expect(one.ready).toEqual(['a'])
    expect(other.instances.directory.ready('echo.fn')).toMatchObject([
      { origin: 'http://10.1.2.3:8080', record: { limit: 4 }, load: { inFlight: 2, streams: 1 } },
    ])
  })

  it('tell who joins later', async () => {
    const { fleet, one } = await fleetOf(1)
    await one.take()

    const late = await fleet.join()

    expect(late.ready).toEqual(['a'])
  })

  it('publish news once, however many gateways are told, and a repetition never', async () => {
    const { server, one, other } = await fleetOf(2)
    const report = reportOf({ sentAtMs: one.instances.directory.get('a')?.sentAtMs ?? Date.now(), revision: 9 })

    await Promise.all([one, other, one, other].map(({ instances }) => instances.take(report)))

    expect(server.published.filter(({ kind }) => kind === 'entry').map((entry) => Reflect.get(entry, 'key'))).toEqual([
      'g/gateway-1',
      'g/gateway-2',
      'i/a',
    ])
  })

  it('gather heartbeats, and write them once a second, loads included', async () => {
    const { clock, server, one, other } = await fleetOf(2)
    const ids = Array.from({ length: 100 }, (_, at) => `i${at}`)
    for (const id of ids) await one.take({ id, revision: 1 })
    const before = server.published.length
    await clock.advance(500)

    for (const id of ids) await one.take({ id, revision: 1, load: { inFlight: 3, queued: 1, idleForMs: 0.5 } })
    const during = server.published.length
    await clock.advance(1_000)

    expect(during).toBe(before)
    expect(server.published.slice(before).filter((change) => change.kind === 'renewed' && change.note !== '')).toEqual([
      expect.objectContaining({ keys: ids.map((id) => `i/${id}`), origin: 'gateway-1', ttlMs: 10_000 }),
    ])
    expect(other.instances.directory.get('i7')?.load).toEqual({ inFlight: 3, queued: 1, streams: 0, idleForMs: 0.5 })
  })

  it('keep an instance in all gateways as long as one of them hears of it', async () => {
    const { clock, one, other } = await fleetOf(2)
    await one.take({ revision: 1 })

    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(3_000)
      await one.take({ revision: 1 })
    }

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
  })

  it('have nobody kept alive by the replay of a report, at any gateway', async () => {
    const { clock, one, other } = await fleetOf(2)
    const sentAtMs = clock.nowMs()
    await one.take({ revision: 1, sentAtMs })

    for (let second = 0; second < 15; second += 1) {
      await clock.advance(1_000)
      await one.take({ revision: 1, sentAtMs }).catch(() => {})
    }

    expect([one.ready, other.ready]).toEqual([[], []])
  })

  it.each([300, 1_000, 1_500])('keep in all gateways with leases of %i ms who reports in time', async (ttlMs) => {
    const fleet = new SimulatedGateways()
    const [one, other] = await fleet.joinAll({ ttlMs }, { ttlMs })
    const gone: string[] = []
    other.instances.directory.subscribe(({ record }, change) => void (change === 'gone' && gone.push(record.id)))
    await one.take({ revision: 1 })

    for (let beat = 0; beat < 60; beat += 1) {
      await fleet.clock.advance(ttlMs / 3)
      await one.take({ revision: 1 })
    }

    expect([gone, other.ready]).toEqual([[], ['a']])
  })

  it('bring back at once who was forgotten here while others heard of it', async () => {
    const { clock, one, other } = await fleetOf(2)
    await one.take({ revision: 1 })
    const beat = async (seconds: number): Promise<void> => {
      for (let second = 0; second < seconds; second += 1) {
        await clock.advance(1_000)
        await one.take({ revision: 1 })
      }
    }
    other.store.connection.losesMessage = ({ kind }) => kind === 'renewed'
    await beat(12)
    const before = other.ready

    other.store.connection.losesMessage = () => false
    await beat(2)

    expect([before, other.ready]).toEqual([[], ['a']])
  })

  it('forget it in all gateways when nobody does', async () => {
    const { clock, server, one, other } = await fleetOf(2)
    await one.take()

    await clock.advance(11_000)

    expect([one.known, other.known]).toEqual([[], []])
    expect(server.records.entries.all().map(({ key }) => key)).toEqual(['g/gateway-1', 'g/gateway-2'])
  })

  it('leave heartbeats to one gateway when a sidecar reports to all of them', async () => {
    const { clock, server, one, other, third } = await fleetOf(3)
    const all = [one, other, third]
    for (const gateway of all) await gateway.take({ revision: 1 })
    const before = server.published.length

    for (let beat = 0; beat < 20; beat += 1) {
      await clock.advance(2_000)
      for (const gateway of all) await gateway.take({ revision: 1 })
      await clock.advance(1_000)
    }

    const renewals = server.published.slice(before).filter((change) => change.kind === 'renewed' && change.note !== '')
    expect(renewals.length).toBe(20)
    expect(all.map(({ ready }) => ready)).toEqual([['a'], ['a'], ['a']])
  })

  it('have the newest record win whichever gateway was told, however late the others are', async () => {
    const { fleet, one, other } = await fleetOf(2)
    other.store.connection.requestDelayMs = () => 50

    const late = other.take({ revision: 1 })
    await one.take({ revision: 2, phase: 'unready' })
    await fleet.clock.advance(60)
    await late
    const newcomer = await fleet.join()

    expect([one.ready, other.ready, newcomer.ready]).toEqual([[], [], []])
  })

  it('refuse what is older than what any gateway was told', async () => {
    const { one, other } = await fleetOf(2)
    await one.take({ revision: 5 })

    const refused = await other.take({ revision: 4 }).catch((error: unknown) => error)

    expect(isOutdated(refused)).toBe(true)
  })

  it('replace a signed report in the store before it gets too old to count', async () => {
    const { fleet, clock, one } = await fleetOf(1)
    await one.take({ revision: 1 })

    for (let beat = 0; beat < 400; beat += 1) {
      await clock.advance(3_000)
      await one.take({ revision: 1 })
    }

    expect((await fleet.join()).ready).toEqual(['a'])
  })

  it('take news alone while there is no store at all', async () => {
    const { fleet, server, one } = await fleetOf(1)
    server.stop()

    await one.take()

    expect(one.ready).toEqual(['a'])
    server.start()
    await fleet.clock.advance(2_000)
    expect((await fleet.join()).ready).toEqual(['a'])
  })

  it('say when they are gone, and leave no timer', async () => {
    const { fleet, clock, server, one, other } = await fleetOf(2)
    await one.take()
    await one[Symbol.asyncDispose]()

    expect(server.records.entries.all().map(({ key }) => key)).toEqual(['g/gateway-2', 'i/a'])
    expect(other.ready).toEqual(['a'])
    await other[Symbol.asyncDispose]()
    await other.instances[Symbol.asyncDispose]()
    expect(clock.pending).toBe(0)
    expect(fleet.server.records.entries.all().map(({ key }) => key)).toEqual(['i/a'])
  })
})

describe('FleetInstances and a store with something foreign in it', () => {
  const faults = {
    'no record at all': { body: 'garbage', reason: 'invalid' },
    'an empty body': { body: '', reason: 'invalid' },
    'a record that another key has signed': {
      body: signReport(reportOf({ revision: 7 }), 'another'),
      reason: 'unsigned',
    },
    'the record of another instance': {
      body: signReport(reportOf({ id: 'b', revision: 7 }), instanceKey),
      reason: 'invalid',
    },
    'a record of another revision': { body: signReport(reportOf({ revision: 6 }), instanceKey), reason: 'invalid' },
    'an address outside of the networks': {
      body: signReport(reportOf({ revision: 7, address: '8.8.8.8' }), instanceKey),
      reason: 'forbidden',
    },
    'the record of a loopback address for all hosts': {
      body: signReport(reportOf({ revision: 7, address: '127.0.0.1' }), instanceKey),
      reason: 'invalid',
    },
    'a record that was signed long ago': {
      body: signReport(reportOf({ revision: 7, sentAtMs: 1 }), instanceKey),
      reason: 'outdated',
    },
  }

  it.each(Object.entries(faults))('take nothing of %s over, and count it', async (_, { body, reason }) => {
    const { fleet, clock, one } = await fleetOf(1)
    clock.jumpWallClock(Date.now() - clock.nowMs())
    const liar = await fleet.join()

    await liar.store.putEntry('i/a', { body, rank: 7, ttlMs: 10_000 })
    const reader = await fleet.join()

    expect([one.known, reader.known]).toEqual([[], []])
    for (const gateway of [one, reader]) {
      expect(await gateway.metricLines('pilotlight_shared_instances_refused_total')).toContain(
        `pilotlight_shared_instances_refused_total{reason="${reason}"} 1`,
      )
    }
    expect(await one.take({ revision: 8 })).toMatchObject({ ttlMs: 10_000 })
    expect(reader.ready).toEqual(['a'])
  })

  it('read all again for renewals of instances that do not count every five seconds at most', async () => {
    const { fleet, clock, one } = await fleetOf(1)
    const liar = await fleet.join()
    await liar.store.putEntry('i/forged', { body: 'garbage', rank: 1, ttlMs: 60_000 })
    let readings = 0
    one.store.connection.fate = (call) => {
      if (call === 'entries') readings += 1
      return 'served'
    }

    for (let second = 0; second < 20; second += 1) {
      await liar.store.renewEntries(['i/forged'], { ttlMs: 60_000, note: '' })
      await clock.advance(1_000)
    }

    expect(readings).toBe(4)
    expect(one.known).toEqual([])
  })

  it('say so in the log once a minute', async () => {
    const { fleet, clock, one } = await fleetOf(1)
    const liar = await fleet.join()
    const warnings = (): number => one.log.messages('warn').filter((text) => text.includes('does not count')).length

    for (let rank = 0; rank < 50; rank += 1) await liar.store.putEntry('i/a', { body: `${rank}`, rank, ttlMs: 10_000 })
    const first = warnings()
    await clock.advance(61_000)
    await liar.store.putEntry('i/a', { body: 'more', rank: 99, ttlMs: 10_000 })

    expect([first, warnings()]).toEqual([1, 2])
  })

  it.each([
    ['keys of no known kind', { kind: 'entry', key: 'x/1', body: '', rank: 0, ttlMs: 1 }],
    ['renewals of unknown instances', { kind: 'renewed', keys: ['i/none', 'x'], ttlMs: 9, note: '[[1,2,3,4]]' }],
    [
      'renewals of instances of another host',
      { kind: 'renewed', keys: ['h/elsewhere/a'], ttlMs: 9, note: '[[1,1,1,1]]' },
    ],
    ['renewals without a note', { kind: 'renewed', keys: ['i/a'], ttlMs: 9, note: '' }],
    ['loads that are none', { kind: 'renewed', keys: ['i/a'], ttlMs: 9, note: '[["much",-1,{},null]]' }],
    ['loads of something else', { kind: 'renewed', keys: ['i/a'], ttlMs: 9, note: '{"0":[1,1,1,1]}' }],
    ['the end of an instance', { kind: 'entry_gone', key: 'i/a' }],
    ['the end of nothing', { kind: 'entry_gone', key: '' }],
    ['words on another topic', { kind: 'told', topic: 'weather', text: 'rain' }],
    ['that an unknown instance was taken out', { kind: 'told', topic: 'instance_left', text: 'nobody' }],
  ] as const)('go on when they hear of %s', async (_, change) => {
    const { server, one, other } = await fleetOf(2)
    await one.take({ load: { inFlight: 5 } })

    server.publish({ ...change, origin: 'foreign' })

    expect([one.ready, other.ready]).toEqual([['a'], ['a']])
    expect(one.instances.directory.get('a')?.load.inFlight).toBe(5)
    expect(one.log.messages('error')).toEqual([])
  })

  it('keep no lease for longer than a report would, whatever the store says', async () => {
    const { clock, server, one } = await fleetOf(1)
    await one.take()

    server.publish({ kind: 'renewed', keys: ['i/a'], ttlMs: 600_000, note: '', origin: 'foreign' })
    await clock.advance(11_000)

    expect(one.ready).toEqual([])
  })
})
