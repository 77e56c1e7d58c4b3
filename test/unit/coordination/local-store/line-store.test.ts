import { describe, expect, it } from 'vitest'
import type { StateWrite } from '../../../../core/coordination/coordination-store.ts'
import { callTopic } from '../../../../core/coordination/local-store/store-messages.ts'
import { LineStore } from '../../../../core/coordination/local-store/line-store.ts'
import { Questions } from '../../../../core/workers/questions.ts'
import { Members, openMember } from './members.ts'

const asked = { ttlMs: 60_000, knownVersion: 0, aboveFence: 0 }
const ready: StateWrite = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' }
const failureOf = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    () => 'no failure',
    (error: unknown) => error,
  )

describe('LineStore', () => {
  it('is told that its subscription stands, and of every change from then on, its own included, in order', async () => {
    const members = new Members()
    const one = await members.join('one')
    const other = await members.join('other')

    await one.store.write('f', ready)
    await other.store.write('g', ready)
    await one.store.forget('f')
    await Promise.all([one.store.probe('f'), other.store.probe('f')])

    expect(one.told).toEqual(['subscribed', 'f', 'g', 'f'])
    expect(other.told).toEqual(one.told)
    expect(other.changes).toEqual(one.changes)
    expect(one.changes).toMatchObject([
      { kind: 'state', origin: 'one', body: 'b' },
      { kind: 'state', origin: 'other', body: 'b' },
      {
        kind: 'gone',
        origin: 'one',
        previous: one.changes[0] && 'version' in one.changes[0] && one.changes[0].version,
      },
    ])
  })

  it('has heard all changes before its own last answer, so that an answer to a probe proves that changes arrive', async () => {
    const members = new Members()
    const [one, other] = [await members.join('one'), await members.join('other')]
    await Promise.all(Array.from({ length: 20 }, (_, at) => other.store.write(`f${at}`, ready)))

    await one.store.probe('f')

    expect(one.changes).toHaveLength(20)
  })

  it('does not work before it is open, nor after it was closed', async () => {
    const member = new Members().add('one')
    const early = await failureOf(member.store.read('f'))
    openMember(member)
    const open = await failureOf(member.store.read('f'))
    await member.store[Symbol.asyncDispose]()
    await member.store[Symbol.asyncDispose]()

    const late = await failureOf(member.store.probe('f'))

    expect(open).toBe('no failure')
    for (const failure of [early, late]) {
      expect(failure).toMatchObject({ code: 'lease_store_unavailable', details: { failure: 'closed' } })
    }
  })

  it('listens to nothing once it was closed, and leaves nobody listening at the other end who was told to stop', async () => {
    const { store, worker, supervisor, serving } = await new Members().join('one')

    await store[Symbol.asyncDispose]()
    serving[Symbol.dispose]()

    expect([worker.listeners, supervisor.listeners]).toEqual([0, 0])
  })

  it('says in time that the other process does not answer, and works again when that goes on', async () => {
    const members = new Members()
    const { store, supervisor } = await members.join('one')
    supervisor.stall()
    const calls = [store.acquire('f', asked), store.read('f'), store.keys(), store.probe('f')].map(failureOf)

    await members.clock.advance(1_000)

    for (const failure of await Promise.all(calls)) {
      expect(failure).toMatchObject({ code: 'lease_store_unavailable', details: { failure: 'timed_out' } })
    }
    supervisor.resume()
    expect(await failureOf(store.probe('f'))).toBe('no failure')
    expect(members.clock.pending).toBe(0)
  })

  it('fails at once when the other process is gone', async () => {
    const members = new Members()
    const { store, supervisor, cut } = await members.join('one')
    supervisor.stall()
    const underWay = failureOf(store.acquire('f', asked))

    cut()

    for (const failure of [await underWay, await failureOf(store.probe('f'))]) {
      expect(failure).toMatchObject({ code: 'lease_store_unavailable', details: { failure: 'away' } })
    }
    expect(members.clock.pending).toBe(0)
  })

  it('is refused what it asks before it has joined', async () => {
    const members = new Members()
    const { worker } = members.add('hasty')
    const questions = new Questions({ line: worker, topic: callTopic, clock: members.clock })

    const failure = await failureOf(questions.ask({ method: 'keys', args: [] }, 1_000))

    expect(failure).toEqual(new Error('who has not joined has no part in the store'))
  })

  it.each(['inspect', 'open', 'origin', 'constructor', '__proto__'])(
    'is refused a call of another version, such as "%s", and serves others after it',
    async (method) => {
      const members = new Members()
      const { store, worker } = await members.join('one')
      const newer = new Questions({ line: worker, topic: callTopic, clock: members.clock })

      const failure = await failureOf(newer.ask({ method, args: [] }, 1_000))

      expect(failure).toEqual(new Error(`the store has no ${method}`))
      newer[Symbol.dispose]()
      expect(store.origin).toBe('one')
    },
  )

  it('goes on when a listener throws, and says so in the log', async () => {
    const members = new Members()
    const { store } = members.add('one')
    let heard = 0
    store.open(
      () => {
        heard += 1
        throw new Error('of the test')
      },
      () => {
        throw new Error('of the test')
      },
    )

    await store.write('f', ready)
    await store.write('g', ready)

    expect(heard).toBe(2)
    expect(members.log.messages('error')).toHaveLength(3)
  })

  it('has a name of its own, also in a process that has several', () => {
    const members = new Members()
    const { clock, log } = members
    const names = [1, 2].map(() => new LineStore({ clock, log, line: members.add('any').worker }).origin)

    expect(new Set(names).size).toBe(2)
    expect(names[0]).toMatch(new RegExp(String.raw`^${process.pid}\.[0-9a-f]{16}$`))
  })
})

describe('a worker that leaves', () => {
  const endings = {
    'because it dies': ({ cut }) => cut(),
    'because it closes its store': ({ store }) => store[Symbol.asyncDispose](),
    'because it is not served any more': ({ serving }) => serving[Symbol.dispose](),
  } satisfies Record<string, (member: Awaited<ReturnType<Members['join']>>) => unknown>

  it.each(Object.entries(endings))('gives up its leases and roles at once: %s', async (_why, end) => {
    const members = new Members()
    const [one, other] = [await members.join('one'), await members.join('other')]
    await one.store.acquire('f', asked)
    await one.store.holdRole('feed', 60_000)
    await one.store.putEntry('g/one', { body: '', rank: 0, ttlMs: 60_000 })
    other.changes.length = 0
    const before = await other.store.acquire('f', asked)

    await end(one)
    await other.store.probe('f')

    expect(before.role).toBe('follower')
    expect(other.changes).toEqual([
      { kind: 'released', key: 'f', origin: 'one' },
      { kind: 'entry_gone', key: 'g/one', origin: 'one' },
    ])
    expect(await other.store.acquire('f', asked)).toMatchObject({ role: 'leader', tookOver: false })
    expect(await other.store.holdRole('feed', 60_000)).toBe('gained')
  })

  it('loses the questions that it asked before its end and that nobody had read', async () => {
    const members = new Members()
    const [one, other] = [await members.join('one'), await members.join('other')]
    one.supervisor.stall()
    one.store.acquire('f', asked).catch(() => {})
    await other.store.probe('f')

    one.cut()
    one.supervisor.resume()

    expect(await other.store.acquire('f', asked)).toMatchObject({ role: 'leader' })
  })

  it('leaves what it wrote', async () => {
    const members = new Members()
    const [one, other] = [await members.join('one'), await members.join('other')]
    await one.store.write('f', ready)
    await one.store.addKey('f')

    one.cut()

    expect(await other.store.read('f')).toMatchObject({ body: 'b' })
    expect(await other.store.keys()).toEqual(['f'])
  })

  it('gives nothing up of who joins in its place', async () => {
    const members = new Members()
    const [old, next] = [await members.join('one-1'), await members.join('one-2')]
    await old.store.acquire('f', asked)
    await next.store.acquire('g', asked)

    old.cut()

    expect(await next.store.acquire('f', asked)).toMatchObject({ role: 'leader' })
    const other = await members.join('other')
    expect(await other.store.acquire('g', asked)).toMatchObject({ role: 'follower' })
  })
})
