import { describe, expect, it } from 'vitest'
import type { StoreChange } from '../../../../core/coordination/coordination-store.ts'
import { LocalRecords } from '../../../../core/coordination/local-store/local-records.ts'
import { Members } from './members.ts'

class Records extends LocalRecords {
  static make() {
    const time = { ms: 1_800_000_000_000 }
    const published: StoreChange[] = []
    const around = { nowUs: () => time.ms * 1000, publish: (change: StoreChange) => published.push(change) }
    return { time, published, records: new Records(around) }
  }

  get size(): number {
    return this.entryTable.size
  }
}

const byOne = (key: string) => ({ origin: 'one', key })

describe('LocalEntries', () => {
  it('are over when their time is', () => {
    const { records, time } = Records.make()
    records.entries.put(byOne('a'), { body: 'b', rank: 1, ttlMs: 100 })

    time.ms += 99
    const before = records.entries.all()
    time.ms += 1

    expect(before).toEqual([{ key: 'a', body: 'b', rank: 1, remainingMs: 1 }])
    expect(records.entries.all()).toEqual([])
    expect(records.entries.renew('one', ['a'], { ttlMs: 100, note: '' })).toEqual(['a'])
  })

  it('publish what was put, but not what stood as it is', () => {
    const { records, published } = Records.make()
    const entry = { body: 'b', rank: 1, ttlMs: 100.5 }

    records.entries.put(byOne('a'), entry)
    records.entries.put({ origin: 'other', key: 'a' }, entry)
    records.entries.remove(byOne('a'))
    records.entries.remove(byOne('a'))

    expect(published).toEqual([
      { kind: 'entry', key: 'a', origin: 'one', body: 'b', rank: 1, ttlMs: 101 },
      { kind: 'entry_gone', key: 'a', origin: 'one' },
    ])
  })

  it('take no more memory than twice what is not over', () => {
    const { records, time } = Records.make()
    let largest = 0

    for (let name = 0; name < 50_000; name += 1) {
      records.entries.put(byOne(`name-${name}`), { body: 'b', rank: 1, ttlMs: 10_000 })
      largest = Math.max(largest, records.size)
      time.ms += 10
    }

    expect(records.entries.all().length).toBeLessThanOrEqual(1_000)
    expect(largest).toBeLessThan(2_100)
  })
})

describe('the entries of a LineStore', () => {
  it('are those of all members, whether they put them from here or from there', async () => {
    const members = new Members()
    const [worker, other] = [await members.join('worker'), await members.join('other')]
    const own = members.store.member('own')
    own.open(
      () => {},
      () => {},
    )

    await worker.store.putEntry('a', { body: 'b', rank: 1, ttlMs: 10_000 })
    await own.putEntry('c', { body: 'd', rank: 2, ttlMs: 10_000 })
    const missing = await other.store.renewEntries(['a', 'c', 'e'], { ttlMs: 20_000, note: 'n' })
    await other.store.tell('topic', 'text')
    await own.removeEntry('a')
    await worker.store.probe('f')

    expect(missing).toEqual(['e'])
    expect(await worker.store.entries()).toEqual([{ key: 'c', body: 'd', rank: 2, remainingMs: 20_000 }])
    expect(worker.changes).toEqual(other.changes)
    expect(worker.changes.map(({ kind, origin }) => [kind, origin])).toEqual([
      ['entry', 'worker'],
      ['entry', 'own'],
      ['renewed', 'other'],
      ['told', 'other'],
      ['entry_gone', 'own'],
    ])
  })

  it('outlive the worker that put them, until they are over', async () => {
    const members = new Members()
    const [one, other] = [await members.join('one'), await members.join('other')]
    await one.store.putEntry('a', { body: 'b', rank: 1, ttlMs: 10_000 })

    one.cut()
    const after = await other.store.entries()
    await members.clock.advance(10_000)

    expect(after).toHaveLength(1)
    expect(await other.store.entries()).toEqual([])
  })
})
