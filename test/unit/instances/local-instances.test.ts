import { describe, expect, it } from 'vitest'
import { isOutdated, type Clock, type InstanceReport } from '#core'
import { LocalInstances, type Taken } from '../../../core/instances/local-instances.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { reportOf, type ReportSettings } from '../../support/instance-reports.ts'

const byReport = { ttlMs: 10_000, basis: 'report' } as const
const byStore = { ttlMs: 10_000, basis: 'store' } as const

function setUp(maxInstances = 20_000) {
  const clock = new FakeClock()
  const log = new FakeLogger()
  const instances = new LocalInstances({ clock, log, maxInstances })
  const told: string[] = []
  instances.subscribe(({ record }, change) => told.push(`${record.id} ${record.phase} ${change}`))
  const take = (settings: ReportSettings = {}): Taken =>
    instances.take(reportOf({ sentAtMs: clock.nowMs(), ...settings }), byReport)
  const refusal = (settings: ReportSettings): unknown => {
    try {
      return take(settings)
    } catch (error) {
      return error
    }
  }
  const readyIds = (): string[] => instances.ready('echo.fn').map(({ record }) => record.id)
  return { clock, log, instances, told, take, refusal, readyIds }
}

describe('LocalInstances', () => {
  it('know an instance by its function, where it is and what it has to do', () => {
    const { instances, take } = setUp()

    take({ limit: 3, load: { inFlight: 2 } })

    expect(instances.ready('echo.fn')).toMatchObject([
      { functionKey: 'echo.fn', origin: 'http://10.1.2.3:8080', record: { id: 'a', limit: 3 }, load: { inFlight: 2 } },
    ])
  })

  it.each([
    [{ address: 'fd00::7', port: 1 }, 'http://[fd00::7]:1'],
    [{ secure: true, port: 8443 }, 'https://10.1.2.3:8443'],
  ])('make of %j the origin %s', (settings, origin) => {
    const { instances, take } = setUp()

    take(settings)

    expect(instances.ready('echo.fn')[0]?.origin).toBe(origin)
  })

  it('list those that are ready, in the order of their ids, and all others as known', () => {
    const { instances, take, readyIds } = setUp()
    for (const id of ['c', 'a', 'd', 'b']) take({ id })
    take({ id: 'e', phase: 'starting' })
    take({ id: 'other', name: 'figlet' })

    expect(readyIds()).toEqual(['a', 'b', 'c', 'd'])
    expect([...instances.all('echo.fn')]).toHaveLength(5)
    expect([...instances.all()]).toHaveLength(6)
    expect(instances.ready('nobody.fn')).toEqual([])
  })

  it('have the same list until an instance of the function changes, and never change one that was given away', () => {
    const { instances, take } = setUp()
    take()
    const before = instances.ready('echo.fn')

    take({ sentAtMs: Date.now() * 2, load: { inFlight: 9 } })
    take({ id: 'x', name: 'figlet' })
    take({ id: 'b', phase: 'starting' })
    const same = instances.ready('echo.fn')
    take({ id: 'b', revision: 2 })

    expect(same).toBe(before)
    expect(before).toHaveLength(1)
    expect(before[0]?.load.inFlight).toBe(9)
    expect(instances.ready('echo.fn')).toHaveLength(2)
    expect(instances.ready('nobody.fn')).toBe(instances.ready('nobody.fn'))
  })

  it('take the phases of an instance in turn, and tell each once', () => {
    const { told, take, readyIds } = setUp()
    const seen = (['starting', 'ready', 'unready', 'ready', 'leaving'] as const).map((phase, at) => {
      take({ phase, revision: at + 1 })
      return readyIds()
    })

    expect(seen).toEqual([[], ['a'], [], ['a'], []])
    expect(told).toEqual(['a starting taken', 'a ready taken', 'a unready taken', 'a ready taken', 'a leaving taken'])
  })

  it('take a heartbeat without an event and without a new object', () => {
    const { clock, instances, told, take } = setUp()
    const isNews = take()
    const before = instances.get('a')

    clock.jumpWallClock(3_000)
    const again = take({ load: { queued: 4 } })

    expect([isNews, again]).toEqual(['news', 'prolonged'])
    expect(instances.get('a')).toBe(before)
    expect(before?.load.queued).toBe(4)
    expect(told).toEqual(['a ready taken'])
  })

  it('forget who falls silent when the lease is over, a moment later at most, and say so', async () => {
    const { clock, instances, told, take, readyIds } = setUp()
    take()

    await clock.advance(9_999)
    const before = readyIds()
    await clock.advance(252)

    expect(before).toEqual(['a'])
    expect(readyIds()).toEqual([])
    expect([...instances.all('echo.fn')]).toEqual([])
    expect(told).toEqual(['a ready taken', 'a ready gone'])
    expect(clock.pending).toBe(0)
  })

  it('keep who goes on reporting, with one timer for all', async () => {
    const { clock, take, readyIds } = setUp()
    for (let beat = 0; beat < 20; beat += 1) {
      for (const id of ['a', 'b', 'c']) take({ id })
      expect(clock.pending).toBe(1)
      await clock.advance(3_000)
    }

    expect(readyIds()).toEqual(['a', 'b', 'c'])
  })

  it('forget by this gateway’s own clock: a jump of the wall clock ends no lease', async () => {
    const { clock, take, readyIds } = setUp()
    take()

    clock.jumpWallClock(3_600_000)
    await clock.advance(5_000)

    expect(readyIds()).toEqual(['a'])
  })

  it('have a shorter lease end first, whichever came first', async () => {
    const { clock, instances, readyIds } = setUp()
    instances.take(reportOf({ id: 'long' }), { ttlMs: 60_000, basis: 'report' })
    instances.take(reportOf({ id: 'short' }), { ttlMs: 300, basis: 'report' })

    await clock.advance(600)

    expect(readyIds()).toEqual(['long'])
  })

  it('refuse a record that a newer one has overtaken, and keep that', () => {
    const { take, refusal, readyIds } = setUp()
    take({ revision: 5, phase: 'unready' })

    const answer = refusal({ revision: 4 })

    expect(answer).toMatchObject({ code: 'request_invalid' })
    expect(isOutdated(answer)).toBe(true)
    expect(readyIds()).toEqual([])
  })

  it('have no lease prolonged by the replay of a report', async () => {
    const { clock, instances, readyIds } = setUp()
    const report: InstanceReport = reportOf({ sentAtMs: clock.nowMs() })
    instances.take(report, byReport)

    await clock.advance(9_000)
    const replayed = instances.take(report, byReport)
    await clock.advance(1_300)

    expect(replayed).toBe('nothing')
    expect(readyIds()).toEqual([])
  })

  it('let nobody bring an instance back that has left, by any report from before', async () => {
    const { clock, take, refusal, readyIds } = setUp()
    take({ revision: 1 })
    take({ revision: 2, phase: 'leaving' })
    await clock.advance(11_000)

    const answers = [1, 2].map((revision) => isOutdated(refusal({ revision })))

    expect(answers).toEqual([true, true])
    expect(readyIds()).toEqual([])
  })

  it('take who fell silent back with the same record, and not with an older one', async () => {
    const { clock, take, refusal, readyIds } = setUp()
    take({ revision: 7 })
    await clock.advance(11_000)

    const older = isOutdated(refusal({ revision: 6 }))
    take({ revision: 7 })

    expect(older).toBe(true)
    expect(readyIds()).toEqual(['a'])
  })

  it('do not take who fell silent back with a report that was heard before', async () => {
    const { clock, refusal, take, readyIds } = setUp()
    const sentAtMs = clock.nowMs()
    take({ revision: 7, sentAtMs })
    await clock.advance(11_000)

    const replayed = isOutdated(refusal({ revision: 7, sentAtMs }))
    const before = readyIds()
    take({ revision: 7, sentAtMs: sentAtMs + 1 })

    expect([replayed, before, readyIds()]).toEqual([true, [], ['a']])
  })

  it('take who fell silent here back with the report that stands in the store', async () => {
    const { clock, instances, take, readyIds } = setUp()
    const sentAtMs = clock.nowMs()
    take({ revision: 7, sentAtMs })
    await clock.advance(11_000)

    instances.take(reportOf({ revision: 7, sentAtMs }), byStore)

    expect(readyIds()).toEqual(['a'])
  })

  it('remember for a while only who has departed', async () => {
    const { clock, take, readyIds } = setUp()
    take({ phase: 'leaving', revision: 2 })
    await clock.advance(11_000)

    await clock.advance(20 * 60_000)
    take({ revision: 2 })

    expect(readyIds()).toEqual(['a'])
  })

  it('refuse further instances beyond the most, and still take news of the others', () => {
    const { take, refusal, readyIds } = setUp(2)
    take({ id: 'a' })
    take({ id: 'b' })

    const answer = refusal({ id: 'c' })
    take({ id: 'a', phase: 'unready', revision: 2 })

    expect(answer).toMatchObject({ code: 'overloaded' })
    expect(readyIds()).toEqual(['b'])
  })

  it('move an instance that names another function', () => {
    const { instances, take, readyIds } = setUp()
    take()

    take({ name: 'figlet', revision: 2 })

    expect(readyIds()).toEqual([])
    expect(instances.ready('figlet.fn')).toHaveLength(1)
  })

  it('go on when a listener throws, and say so in the log', () => {
    const { instances, log, told, take } = setUp()
    instances.subscribe(() => {
      throw new Error('of the test')
    })
    const last: string[] = []
    using _subscription = instances.subscribe(({ record }) => last.push(record.id))

    take()

    expect(told).toHaveLength(1)
    expect(last).toEqual(['a'])
    expect(log.messages('error')).toHaveLength(1)
  })

  it('tell nobody any more who has unsubscribed', () => {
    const { instances, take } = setUp()
    const told: string[] = []
    instances.subscribe(({ record }) => told.push(record.id))[Symbol.dispose]()

    take()

    expect(told).toEqual([])
  })

  it('have no timer left when they are closed', () => {
    const { clock, instances, take } = setUp()
    take()

    instances.close()
    take({ revision: 2 })

    expect(clock.pending).toBe(0)
  })
})

describe('LocalInstances after a standstill of the process', () => {
  /** A clock whose time can pass without any alarm ringing. */
  function stalling() {
    const clock = new FakeClock()
    let stalledMs = 0
    const stalled: Clock = {
      nowMs: () => clock.nowMs() + stalledMs,
      monotonicMs: () => clock.monotonicMs() + stalledMs,
      after: (delayMs, ring) => clock.after(delayMs, ring),
      sleep: (delayMs, signal) => clock.sleep(delayMs, signal),
    }
    const instances = new LocalInstances({ clock: stalled, log: new FakeLogger() })
    const take = (id: string): Taken => instances.take(reportOf({ id, sentAtMs: stalled.nowMs() }), byReport)
    const known = (): string[] => Array.from(instances.all(), ({ record }) => record.id)
    return { clock, take, known, stall: (ms: number) => void (stalledMs += ms) }
  }

  it('give everybody one lease’s time to be heard again', async () => {
    const { clock, take, known, stall } = stalling()
    for (const id of ['alive', 'dead']) take(id)
    await clock.advance(9_000)

    stall(20_000)
    await clock.advance(2_000)
    const atOnce = known()
    await clock.advance(3_000)
    take('alive')
    await clock.advance(7_000)

    expect(atOnce).toEqual(['alive', 'dead'])
    expect(known()).toEqual(['alive'])
  })

  it('keep nobody who stays silent for one standstill after the other', async () => {
    const { clock, take, known, stall } = stalling()
    take('dead')

    for (let round = 0; round < 3; round += 1) {
      stall(20_000)
      await clock.advance(11_000)
    }

    expect(known()).toEqual([])
  })
})

describe('LocalInstances while the store is away', () => {
  it('keep those that others told of, for as long as it takes', async () => {
    const { clock, instances, readyIds } = setUp()
    instances.take(reportOf(), byStore)
    instances.storeAway()

    await clock.advance(3_600_000)

    expect(readyIds()).toEqual(['a'])
  })

  it('go on forgetting those whose own reports cease', async () => {
    const { clock, instances, take, readyIds } = setUp()
    instances.take(reportOf({ id: 'told', sentAtMs: clock.nowMs() }), byStore)
    instances.take(reportOf({ id: 'both', sentAtMs: clock.nowMs() }), byStore)
    take({ id: 'own' })
    instances.storeAway()
    await clock.advance(1_000)
    take({ id: 'both' })

    await clock.advance(12_000)

    expect(readyIds()).toEqual(['told'])
  })

  it('forget within a lease who reported here as well and ceased to, though others spoke last', async () => {
    const { clock, instances, take, readyIds } = setUp()
    take({ id: 'dead', revision: 1 })
    const dead = instances.get('dead')
    instances.take(reportOf({ id: 'elsewhere' }), byStore)
    await clock.advance(2_000)
    if (dead !== undefined) instances.prolong(dead, byStore)
    instances.storeAway()

    await clock.advance(10_000 + 300)

    expect(readyIds()).toEqual(['elsewhere'])
  })

  it('keep for ten leases who reported here once, and to others since', async () => {
    const { clock, instances, take, readyIds } = setUp()
    take({ revision: 1 })
    const moved = instances.get('a')
    for (let beat = 0; beat < 10; beat += 1) {
      await clock.advance(3_000)
      if (moved !== undefined) instances.prolong(moved, byStore)
    }
    instances.storeAway()

    await clock.advance(99_000)
    const before = readyIds()
    await clock.advance(2_000)

    expect([before, readyIds()]).toEqual([['a'], []])
  })

  it('give the others a lease’s time when it is back, to prolong what they vouch for', async () => {
    const { clock, instances, readyIds } = setUp()
    for (const id of ['alive', 'dead']) instances.take(reportOf({ id }), byStore)
    instances.storeAway()
    await clock.advance(60_000)

    instances.storeBack(10_000)
    await clock.advance(9_000)
    const alive = instances.get('alive')
    if (alive !== undefined) instances.prolong(alive, byStore)
    await clock.advance(1_300)

    expect(readyIds()).toEqual(['alive'])
  })
})

describe('LocalInstances, many of them', () => {
  it('take ten thousand of one function, and as many heartbeats, in well under a second each', () => {
    const { clock, instances, take } = setUp()
    const ids = Array.from({ length: 10_000 }, (_, at) => `instance-${(at * 7919) % 10_000}`)
    const timed = (work: () => void): number => {
      const startMs = performance.now()
      work()
      return performance.now() - startMs
    }

    const newMs = timed(() => ids.forEach((id) => take({ id })))
    clock.jumpWallClock(3_000)
    const beatMs = timed(() => ids.forEach((id) => take({ id, load: { inFlight: 1 } })))

    expect(instances.ready('echo.fn')).toHaveLength(10_000)
    expect(instances.ready('echo.fn').map(({ record }) => record.id)).toEqual(ids.toSorted())
    // Several times what it takes on a busy machine.
    expect({ newMs: newMs < 3_000, beatMs: beatMs < 1_000 }).toEqual({ newMs: true, beatMs: true })
  })
})
