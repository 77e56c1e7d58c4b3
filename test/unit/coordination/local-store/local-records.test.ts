import { describe, expect, it } from 'vitest'
import type { StateWrite, StoreChange } from '../../../../core/coordination/coordination-store.ts'
import { LocalRecords } from '../../../../core/coordination/local-store/local-records.ts'

const asked = { ttlMs: 1_500, knownVersion: 0, aboveFence: 0 }
const ready: StateWrite = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' }
const startMs = 1_800_000_000_000

class Records extends LocalRecords {
  static make() {
    const time = { ms: startMs }
    const published: StoreChange[] = []
    const around = { nowUs: () => time.ms * 1000, publish: (change: StoreChange) => published.push(change) }
    return { time, published, records: new Records(around) }
  }

  get size(): number {
    return this.records.size
  }

  lead(origin: string, key: string): number {
    const answer = this.acquire({ origin, key }, asked)
    return answer.role === 'leader' ? answer.fence : 0
  }
}

describe('LocalRecords', () => {
  it('give a lease to another one when its time is over, and say so', () => {
    const { records, time } = Records.make()
    const first = records.lead('one', 'f')

    time.ms += 1_499
    const during = records.acquire({ origin: 'other', key: 'f' }, asked)
    time.ms += 1
    const after = records.acquire({ origin: 'other', key: 'f' }, asked)

    expect(during).toEqual({ role: 'follower', remainingMs: 1 })
    expect(after).toEqual({ role: 'leader', fence: (startMs + 1_500) * 1000, tookOver: true })
    expect(records.renew({ origin: 'one', key: 'f' }, { fence: first, ttlMs: 1_500 })).toBe(false)
  })

  it('give fences that grow while time stands still', () => {
    const { records } = Records.make()

    const fences = [1, 2, 3].map(() => {
      const fence = records.lead('one', 'f')
      records.release({ origin: 'one', key: 'f' }, fence)
      return fence
    })

    expect(fences).toEqual([startMs * 1000, startMs * 1000 + 1, startMs * 1000 + 2])
  })

  it.each([2 ** 52 + 1, 2 ** 53 - 1, 2 ** 53, 2 ** 60, Infinity])(
    'give fences that stay exact when somebody claims to have seen %d',
    (aboveFence) => {
      const { records } = Records.make()

      const answer = records.acquire({ origin: 'one', key: 'f' }, { ...asked, aboveFence })

      expect(answer).toMatchObject({ role: 'leader', fence: startMs * 1000 })
    },
  )

  it('forget a record when its time is over', () => {
    const { records, time } = Records.make()
    records.write({ origin: 'one', key: 'f' }, { ...ready, expiresInMs: 60_000 })

    time.ms += 60_000
    const before = records.read('f')
    time.ms += 1

    expect(before).toMatchObject({ body: 'b', ageMs: 60_000 })
    expect(records.read('f')).toBeUndefined()
  })

  it('keep a record that is not to be forgotten', () => {
    const { records, time } = Records.make()
    records.write({ origin: 'one', key: 'f' }, ready)

    time.ms += 365 * 86_400_000

    expect(records.read('f')).toMatchObject({ body: 'b' })
  })

  it('give a role to another one when its time is over', () => {
    const { records, time } = Records.make()
    const first = records.holdRole({ origin: 'one', key: 'feed' }, 5_000)
    const second = records.holdRole({ origin: 'other', key: 'feed' }, 5_000)
    time.ms += 5_001

    expect([first, second]).toEqual(['gained', 'other'])
    expect(records.holdRole({ origin: 'other', key: 'feed' }, 5_000)).toBe('gained')
  })

  it('give up all that a member has which is gone, tell of its leases, and leave the others theirs', () => {
    const { records, published } = Records.make()
    records.lead('gone', 'f')
    records.lead('gone', 'g')
    const kept = records.lead('other', 'h')
    records.holdRole({ origin: 'gone', key: 'feed' }, 60_000)
    records.holdRole({ origin: 'other', key: 'keep' }, 60_000)

    records.giveUpAllOf('gone')

    expect(published).toEqual([
      { kind: 'released', key: 'f', origin: 'gone' },
      { kind: 'released', key: 'g', origin: 'gone' },
    ])
    expect(records.lead('other', 'f')).toBeGreaterThan(0)
    expect(records.renew({ origin: 'other', key: 'h' }, { fence: kept, ttlMs: 1_500 })).toBe(true)
    expect(records.holdRole({ origin: 'other', key: 'feed' }, 60_000)).toBe('gained')
    expect(records.holdRole({ origin: 'other', key: 'keep' }, 60_000)).toBe('kept')
  })

  it('hold no more than a few thousand records of names that come and go', () => {
    const { records, time } = Records.make()
    let largest = 0

    for (let name = 0; name < 50_000; name += 1) {
      records.lead('one', `name-${name}`)
      largest = Math.max(largest, records.size)
      time.ms += 100
    }

    // A record that says nothing outlives its lease ten times: 15 s.
    expect(largest).toBeLessThan(1_200)
  })

  it('push out what may be forgotten when there is too much of it, and never what is kept or leased', () => {
    const { records } = Records.make()
    const fence = records.lead('one', 'leased')
    records.write({ origin: 'one', key: 'kept' }, ready)
    let largest = 0

    for (let name = 0; name < 250_000; name += 1) {
      records.write({ origin: 'one', key: `name-${name}` }, { ...ready, phase: 'failed', expiresInMs: 60_000 })
      largest = Math.max(largest, records.size)
    }

    expect(largest).toBeLessThan(101_000)
    expect(records.read('kept')).toMatchObject({ body: 'b' })
    expect(records.renew({ origin: 'one', key: 'leased' }, { fence, ttlMs: 1_500 })).toBe(true)
    expect(records.read('name-249999')).toMatchObject({ body: 'b' })
    expect(records.read('name-0')).toBeUndefined()
  })
})
