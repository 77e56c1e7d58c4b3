import { describe, expect, it } from 'vitest'
import { isOutdated, signReport } from '../../../../core/instances/signed-report.ts'
import type { InstanceRecord, InstanceReport } from '../../../../core/instances/instance-record.ts'
import { ReportDesk } from '../../../../plugins/local-provider/reports/report-desk.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

const key = 'a key of these tests'
const own = { id: 'one-1', name: 'one', namespace: 'fn', address: '127.0.0.1', port: 5000 }
const load = { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 }

class Ground {
  readonly clock = new FakeClock()
  readonly heard: InstanceRecord[] = []
  readonly handedOn: InstanceReport[] = []
  readonly leases: number[] = []
  isRegistryAway = false
  readonly desk = new ReportDesk({
    clock: this.clock,
    key,
    registry: {
      take: async (report) => {
        if (this.isRegistryAway) throw new Error('away')
        this.handedOn.push(report)
        return { ttlMs: 7_000, acknowledged: 2, silent: 1 }
      },
    },
  })

  expectOne(): Disposable {
    return this.desk.expect({
      ...own,
      onReport: ({ record }) => this.heard.push(record),
      onLease: (ttlMs) => this.leases.push(ttlMs),
    })
  }

  /** Has a sidecar say something. */
  say(phase: InstanceRecord['phase'], revision: number, over: Partial<InstanceRecord> = {}) {
    const record = { ...own, adminPort: 1, secure: false, limit: 0, phase, revision, ...over }
    return this.desk.take(signReport({ record, load, sentAtMs: this.clock.nowMs() }, key))
  }
}

describe('ReportDesk', () => {
  it('hands on what it takes, and answers with the receipt', async () => {
    const ground = new Ground()
    ground.expectOne()

    expect(await ground.say('ready', 5)).toEqual({ ttlMs: 7_000, acknowledged: 2, silent: 1 })

    expect(ground.heard.map(({ phase }) => phase)).toEqual(['ready'])
    expect(ground.handedOn).toHaveLength(1)
    expect(ground.leases).toEqual([7_000])
  })

  it('acts on a report that nobody else could be told of', async () => {
    const ground = new Ground()
    ground.expectOne()
    ground.isRegistryAway = true

    await expect(ground.say('ready', 5)).rejects.toThrow('away')

    expect(ground.heard).toHaveLength(1)
  })

  it.each([{ id: 'one-2' }, { name: 'two' }, { namespace: '' }, { address: '127.0.0.2' }, { port: 5001 }])(
    'does not believe what is said of another instance: %o',
    async (over) => {
      const ground = new Ground()
      ground.expectOne()

      await expect(ground.say('ready', 5, over)).rejects.toMatchObject({ code: 'forbidden' })

      expect([ground.heard, ground.handedOn]).toEqual([[], []])
    },
  )

  it('does not take what a newer report has overtaken; the same one again is fine', async () => {
    const ground = new Ground()
    ground.expectOne()
    await ground.say('ready', 5)

    await ground.say('ready', 5)
    const refused = await ground.say('starting', 4).catch((error: unknown) => error)

    expect(isOutdated(refused)).toBe(true)
    expect(ground.heard.map(({ revision }) => revision)).toEqual([5, 5])
  })

  it('says for one that ended without a word that it left, by a revision that its successor exceeds', async () => {
    const ground = new Ground()
    const first = ground.expectOne()
    await ground.say('ready', 5)

    first[Symbol.dispose]()
    ground.expectOne()
    const late = await ground.say('ready', 6).catch((error: unknown) => error)
    await ground.clock.advance(1)
    await ground.say('ready', Math.floor(ground.clock.nowMs() * 1000))

    expect(ground.handedOn.map(({ record }) => record.phase)).toEqual(['ready', 'leaving', 'ready'])
    expect(isOutdated(late)).toBe(true)
  })

  it('says nothing for one that has left itself, or never spoke, and survives that nobody listens', async () => {
    const ground = new Ground()
    const first = ground.expectOne()
    await ground.say('leaving', 5)
    first[Symbol.dispose]()
    ground.desk.forget(own.id)
    ground.expectOne()[Symbol.dispose]()
    expect(ground.handedOn).toHaveLength(1)

    const third = ground.expectOne()
    await ground.say('ready', 7)
    ground.isRegistryAway = true
    third[Symbol.dispose]()

    await expect(ground.say('ready', 8)).rejects.toMatchObject({ code: 'forbidden' })
  })
})
