import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { LeaseAnswer, StateWrite, StoredEntry } from '../../../core/coordination/coordination-store.ts'
import { eventually, pause } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { openRedisStore, type OpenedStore } from '../../support/open-redis-store.ts'

/** Where the stores under test meet. */
export interface StorePlace extends AsyncDisposable {
  readonly url: string
}

/** What the contract hands to further tests of the same place. */
export interface TwoStores<Place> {
  readonly place: () => Place
  readonly one: () => OpenedStore
  readonly other: () => OpenedStore
}

const asked = { ttlMs: 5_000, knownVersion: 0, aboveFence: 0 }
const ready: StateWrite = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' }

/** The contract of the port, for two gateways, on one kind of Redis; `more` adds tests of that kind, which come last. */
export function describeStore<Place extends StorePlace>(
  kind: string,
  start: () => Promise<Place>,
  more: (stores: TwoStores<Place>) => void = () => {},
): void {
  describe(`RedisStore on ${kind}`, () => {
    const opened = new AsyncDisposableStack()
    let place: Place
    let one: OpenedStore
    let other: OpenedStore
    let keys = 0
    const freshKey = (): string => `f${(keys += 1)}.openfaas-fn`

    guardAgainstLeaks('file')
    beforeAll(async () => {
      place = opened.use(await start())
      one = opened.use(await openRedisStore(place.url, { origin: 'one' }))
      other = opened.use(await openRedisStore(place.url, { origin: 'other' }))
    }, 30_000)
    afterAll(() => opened.disposeAsync())

    const entryOf = async (key: string): Promise<StoredEntry | undefined> =>
      (await other.store.entries()).find((entry) => entry.key === key)
    const fenceOf = (answer: LeaseAnswer): number => (answer.role === 'leader' ? answer.fence : 0)

    it('gives a lease to one of two that ask at the same time, for each of many functions', async () => {
      const names = Array.from({ length: 50 }, freshKey)

      const answers = await Promise.all(
        names.map((key) => Promise.all([one.store.acquire(key, asked), other.store.acquire(key, asked)])),
      )

      for (const pair of answers) expect(pair.map(({ role }) => role).toSorted()).toEqual(['follower', 'leader'])
    })

    it('tells a follower how long the lease lasts', async () => {
      const key = freshKey()
      await one.store.acquire(key, asked)

      const answer = await other.store.acquire(key, asked)

      expect(answer).toEqual({ role: 'follower', remainingMs: expect.any(Number) })
      expect(answer.role === 'follower' && answer.remainingMs).toBeGreaterThan(3_000)
      expect(answer.role === 'follower' && answer.remainingMs).toBeLessThanOrEqual(5_000)
    })

    it('gives fences that strictly increase, are times in microseconds, and exceed what the provider has seen', async () => {
      const key = freshKey()
      const first = fenceOf(await one.store.acquire(key, asked))
      await one.store.release(key, first)
      const second = fenceOf(await other.store.acquire(key, asked))
      await other.store.release(key, second)
      const third = fenceOf(await one.store.acquire(key, { ...asked, aboveFence: second + 10_000_000 }))

      expect(first / 1000).toBeGreaterThan(Date.now() - 60_000)
      expect(second).toBeGreaterThan(first)
      expect(third).toBe(second + 10_000_001)
    })

    it.each([2 ** 52 + 1, 2 ** 53 - 1, 2 ** 53, 2 ** 60])(
      'gives exact fences, now and later, when somebody claims to have seen %d',
      async (aboveFence) => {
        const key = freshKey()

        const first = fenceOf(await one.store.acquire(key, { ...asked, aboveFence }))
        await one.store.release(key, first)
        const second = fenceOf(await other.store.acquire(key, asked))

        expect(first / 1000).toBeLessThan(Date.now() + 60_000)
        expect(second).toBeGreaterThan(first)
        expect(await other.store.renew(key, { fence: second, ttlMs: 5_000 })).toBe(true)
        expect(await other.store.write(key, { ...ready, condition: 'fence', value: second })).toMatchObject({
          written: true,
        })
      },
    )

    it('gives an expired lease to the next, says so, and refuses the old holder', async () => {
      const key = freshKey()
      const old = fenceOf(await one.store.acquire(key, { ...asked, ttlMs: 20 }))
      await pause(30)

      const answer = await other.store.acquire(key, asked)

      expect(answer).toEqual({ role: 'leader', fence: expect.any(Number), tookOver: true })
      expect(fenceOf(answer)).toBeGreaterThan(old)
      expect(await one.store.renew(key, { fence: old, ttlMs: 5_000 })).toBe(false)
      expect(await one.store.write(key, { ...ready, condition: 'fence', value: old })).toEqual({
        written: false,
        stored: undefined,
      })
    })

    it('keeps a lease that is renewed', async () => {
      const key = freshKey()
      const fence = fenceOf(await one.store.acquire(key, { ...asked, ttlMs: 30 }))
      const isRenewed = await one.store.renew(key, { fence, ttlMs: 5_000 })
      await pause(40)

      expect(isRenewed).toBe(true)
      expect((await other.store.acquire(key, asked)).role).toBe('follower')
    })

    it('tells all of a lease that is given up, and nobody of one that was lost', async () => {
      const key = freshKey()
      const fence = fenceOf(await one.store.acquire(key, asked))

      await other.store.release(key, fence)
      await one.store.release(key, fence - 1)
      expect((await other.store.acquire(key, asked)).role).toBe('follower')
      await one.store.release(key, fence)

      await eventually('the release to be told', () => other.changesOf(key).length > 0)
      expect(other.changesOf(key)).toEqual([{ kind: 'released', key, origin: 'one' }])
      expect((await other.store.acquire(key, asked)).role).toBe('leader')
    })

    it('writes a record for all to read and hear, byte for byte', async () => {
      const key = freshKey()
      const body = JSON.stringify({ text: 'é "quoted" \\ / \u0000 \u{1f680} line\nline', zero: 0 })

      const answer = await one.store.write(key, { ...ready, body })

      const version = answer.written ? answer.version : 0
      expect(version / 1000).toBeGreaterThan(Date.now() - 60_000)
      expect(await other.store.read(key)).toEqual({ version, ageMs: expect.any(Number), body })
      await eventually('the change to be told', () => other.changesOf(key).length > 0)
      expect(other.changesOf(key)).toEqual([{ kind: 'state', key, version, previous: 0, origin: 'one', body }])
    })

    it('writes on the condition of a version only when the record has it', async () => {
      const key = freshKey()
      const first = await one.store.write(key, { ...ready, body: '1' })
      const version = first.written ? first.version : 0

      const late = await other.store.write(key, { ...ready, body: 'from nothing' })
      const next = await other.store.write(key, { ...ready, value: version, body: '2' })

      expect(late).toEqual({ written: false, stored: { version, ageMs: expect.any(Number), body: '1' } })
      expect(next).toEqual({ written: true, version: expect.any(Number) })
      expect(next.written && next.version).toBeGreaterThan(version)
      await eventually('both changes to be told', () => one.changesOf(key).length === 2)
      expect(one.changesOf(key)[1]).toMatchObject({ previous: version, body: '2' })
    })

    it('lets one of many writers win who all know the same version', async () => {
      const key = freshKey()

      const answers = await Promise.all(
        Array.from({ length: 40 }, (_, at) =>
          (at % 2 === 0 ? one : other).store.write(key, { ...ready, body: `${at}` }),
        ),
      )

      expect(answers.filter(({ written }) => written)).toHaveLength(1)
    })

    it('gives a record that the asker has not seen with the answer about the lease', async () => {
      const key = freshKey()
      const write = await one.store.write(key, { ...ready, phase: 'waking', body: 'w' })
      const version = write.written ? write.version : 0

      const unknown = await other.store.acquire(key, asked)
      const known = await other.store.acquire(key, { ...asked, knownVersion: version })

      expect(unknown).toMatchObject({ role: 'leader', news: { version, body: 'w' } })
      expect(known).toMatchObject({ role: 'leader' })
      expect(known).not.toHaveProperty('news')
    })

    it.each([
      ['ready', { phase: 'ready', retryInMs: 0 }, 'follower'],
      ['failed with a pause ahead', { phase: 'failed', retryInMs: 5_000 }, 'follower'],
      ['absent with a pause ahead', { phase: 'absent', retryInMs: 5_000 }, 'follower'],
      ['failed with the pause over', { phase: 'failed', retryInMs: 0 }, 'leader'],
      ['waking', { phase: 'waking', retryInMs: 0 }, 'leader'],
      ['zero', { phase: 'zero', retryInMs: 0 }, 'leader'],
    ])('makes who does not know of a function %s %s', async (_, written, role) => {
      const key = freshKey()
      await one.store.write(key, { ...ready, ...written })
      await pause(2)

      const answer = await other.store.acquire(key, asked)

      expect(answer).toMatchObject({ role, news: { body: 'b' } })
    })

    it('forgets a record, tells that, and goes on with a larger version', async () => {
      const key = freshKey()
      const write = await one.store.write(key, ready)
      const written = write.written ? write.version : 0

      const forgotten = await other.store.forget(key)

      expect(forgotten).toBeGreaterThan(written)
      expect(await one.store.read(key)).toBeUndefined()
      await eventually('both changes to be told', () => one.changesOf(key).length === 2)
      expect(one.changesOf(key)[1]).toEqual({
        kind: 'gone',
        key,
        version: forgotten,
        previous: written,
        origin: 'other',
      })
      const again = await one.store.write(key, ready)
      expect(again.written && again.version).toBeGreaterThan(forgotten)
    })

    it('forgets a record by itself when its time is over, but not while a lease of the function lasts', async () => {
      const [alone, leased] = [freshKey(), freshKey()]
      const fence = fenceOf(await one.store.acquire(leased, asked))
      await one.store.write(alone, { ...ready, expiresInMs: 20 })
      await one.store.write(leased, { ...ready, condition: 'fence', value: fence, expiresInMs: 20 })
      await pause(40)

      expect(await other.store.read(alone)).toBeUndefined()
      expect(await one.store.renew(leased, { fence, ttlMs: 5_000 })).toBe(true)
    })

    it('keeps the list of functions', async () => {
      await one.store.addKey('a.ns')
      await one.store.addKey('b.ns')
      await other.store.addKey('a.ns')
      expect((await other.store.keys()).toSorted()).toEqual(['a.ns', 'b.ns'])

      await other.store.removeKey('a.ns')
      expect(await one.store.keys()).toEqual(['b.ns'])
    })

    it('gives a role to one, who keeps it until it resigns or falls silent', async () => {
      expect(await one.store.holdRole('feed', 5_000)).toBe('gained')
      expect(await other.store.holdRole('feed', 5_000)).toBe('other')
      expect(await one.store.holdRole('feed', 5_000)).toBe('kept')

      await other.store.resignRole('feed')
      expect(await other.store.holdRole('feed', 5_000)).toBe('other')

      await one.store.resignRole('feed')
      expect(await other.store.holdRole('feed', 20)).toBe('gained')
      await pause(30)
      expect(await one.store.holdRole('feed', 5_000)).toBe('gained')
    })

    it('puts an entry for all to read and hear, byte for byte', async () => {
      const key = freshKey()
      const body = JSON.stringify({ text: 'é "quoted" \\ / \u{1f680} line\nline' })

      const isPut = await one.store.putEntry(key, { body, rank: 2 ** 53 - 1, ttlMs: 60_000 })

      expect(isPut).toBe(true)
      expect(await entryOf(key)).toEqual({ key, body, rank: 2 ** 53 - 1, remainingMs: expect.any(Number) })
      await eventually('the entry to be told', () => other.changesOf(key).length > 0)
      expect(other.changesOf(key)).toEqual([
        { kind: 'entry', key, origin: 'one', body, rank: 2 ** 53 - 1, ttlMs: 60_000 },
      ])
    })

    it('prolongs an entry that is put as it stands, and tells nobody', async () => {
      const key = freshKey()
      await one.store.putEntry(key, { body: 'b', rank: 1, ttlMs: 1_000 })

      await other.store.putEntry(key, { body: 'b', rank: 1, ttlMs: 60_000 })
      await other.store.putEntry(key, { body: 'c', rank: 1, ttlMs: 60_000 })

      await eventually('both changes to be told', () => one.changesOf(key).length === 2)
      expect(one.changesOf(key)).toMatchObject([{ body: 'b' }, { body: 'c' }])
      expect((await entryOf(key))?.remainingMs).toBeGreaterThan(50_000)
    })

    it('keeps an entry from one of a smaller rank until it is over', async () => {
      const key = freshKey()
      await one.store.putEntry(key, { body: 'new', rank: 8, ttlMs: 60 })

      const isTaken = await other.store.putEntry(key, { body: 'old', rank: 7, ttlMs: 60_000 })
      const during = await entryOf(key)
      await pause(70)
      const after = await entryOf(key)
      const isTakenLater = await other.store.putEntry(key, { body: 'old', rank: 7, ttlMs: 60_000 })

      expect([isTaken, isTakenLater]).toEqual([false, true])
      expect(during).toMatchObject({ body: 'new', rank: 8 })
      expect(after).toBeUndefined()
      expect(await entryOf(key)).toMatchObject({ body: 'old', rank: 7 })
    })

    it('renews entries, tells that once, and names those that it does not have', async () => {
      const [kept, over, never] = [freshKey(), freshKey(), freshKey()]
      await one.store.putEntry(kept, { body: 'b', rank: 1, ttlMs: 10_000 })
      await one.store.putEntry(over, { body: 'b', rank: 1, ttlMs: 5 })
      await pause(10)

      const named = [kept, over, never]
      const missing = await other.store.renewEntries(named, { ttlMs: 60_000, note: '[1] "ü"' })

      expect(missing).toEqual([over, never])
      expect((await entryOf(kept))?.remainingMs).toBeGreaterThan(50_000)
      const renewals = () => one.changes.filter((change) => change.kind === 'renewed' && change.keys.includes(never))
      await eventually('the renewal to be told', () => renewals().length > 0)
      expect(renewals()).toEqual([{ kind: 'renewed', keys: named, origin: 'other', ttlMs: 60_000, note: '[1] "ü"' }])
    })

    it('removes an entry, and tells that when there was one', async () => {
      const key = freshKey()
      await one.store.putEntry(key, { body: 'b', rank: 1, ttlMs: 60_000 })

      await other.store.removeEntry(key)
      await other.store.removeEntry(key)

      expect(await entryOf(key)).toBeUndefined()
      await other.store.tell('after', key)
      await eventually('all to be told', () =>
        one.changes.some((change) => change.kind === 'told' && change.text === key),
      )
      expect(one.changesOf(key).map((change) => change.kind)).toEqual(['entry', 'entry_gone'])
    })

    it('reads two thousand entries, each once', async () => {
      const put = Array.from({ length: 2_000 }, freshKey)
      await Promise.all(
        put.map((key, at) => one.store.putEntry(key, { body: 'b'.repeat(500), rank: at, ttlMs: 60_000 })),
      )

      const entries = (await other.store.entries()).filter(({ body }) => body.length === 500)

      expect(entries.map(({ key }) => key).toSorted()).toEqual(put.toSorted())
    })

    it('tells all gateways what one says, itself included, and keeps nothing', async () => {
      const text = `é "quoted" ${freshKey()}`

      await one.store.tell('weather', text)

      for (const { changes } of [one, other]) {
        await eventually('the text to be told', () =>
          changes.some((change) => change.kind === 'told' && change.text === text),
        )
        expect(changes.filter((change) => change.kind === 'told' && change.text === text)).toEqual([
          { kind: 'told', topic: 'weather', origin: 'one', text },
        ])
      }
    })

    it('proves by a probe that writing and hearing work, for every function', async () => {
      await Promise.all(Array.from({ length: 20 }, () => one.store.probe(freshKey())))
    })

    it('names a gateway by itself, each differently', async () => {
      await using first = await openRedisStore(place.url)
      await using second = await openRedisStore(place.url)

      expect(first.store.origin).not.toBe(second.store.origin)
    })

    more({ place: () => place, one: () => one, other: () => other })
  })
}
