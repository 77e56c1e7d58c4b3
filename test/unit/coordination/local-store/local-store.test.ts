import { describe, expect, it } from 'vitest'
import type { CoordinationStore, StateWrite } from '../../../../core/coordination/coordination-store.ts'
import { Members } from './members.ts'

const asked = { ttlMs: 1_500, knownVersion: 0, aboveFence: 0 }
const ready: StateWrite = { condition: 'version', value: 0, phase: 'ready', retryInMs: 0, expiresInMs: 0, body: 'b' }

function opened(members: Members, origin: string, told: string[] = []): CoordinationStore {
  const store = members.store.member(origin)
  store.open(
    (change) => told.push('key' in change ? change.key : change.kind),
    () => told.push('subscribed'),
  )
  return store
}

describe('LocalStore', () => {
  it('has its own process take part as its workers do', async () => {
    const members = new Members()
    const told: string[] = []
    const own = opened(members, 'own', told)
    const worker = await members.join('worker')

    await own.write('f', ready)
    await worker.store.write('g', ready)
    await worker.store.acquire('g', asked)

    expect(told).toEqual(['subscribed', 'f', 'g'])
    expect(worker.told).toEqual(['subscribed', 'f', 'g'])
    expect(await own.acquire('g', asked)).toMatchObject({ role: 'follower', news: { body: 'b' } })
  })

  it('tells every member of changes in the order in which they took effect, also of those that a listener makes', async () => {
    const members = new Members()
    const hasty = members.store.member('hasty')
    hasty.open(
      (change) => void ('key' in change && change.key === 'f' && hasty.write('because of f', ready)),
      () => {},
    )
    const told: string[] = []
    const own = opened(members, 'own', told)

    await own.write('f', ready)

    expect(told).toEqual(['subscribed', 'f', 'because of f'])
  })

  it('tells the others when a listener throws', async () => {
    const members = new Members()
    members.store.member('clumsy').open(
      () => {
        throw new Error('of the test')
      },
      () => {},
    )
    const told: string[] = []
    const own = opened(members, 'own', told)

    await own.write('f', ready)
    await own.write('g', ready)

    expect(told).toEqual(['subscribed', 'f', 'g'])
    expect(members.log.messages('error')).toHaveLength(2)
  })

  it.each([
    ['back', -3_600_000],
    ['ahead', 3_600_000],
  ])('neither ends nor prolongs a lease when the wall clock is set %s', async (_where, byMs) => {
    const members = new Members()
    const [one, other] = [opened(members, 'one'), opened(members, 'other')]
    const first = await one.acquire('f', asked)
    members.clock.jumpWallClock(byMs)

    const during = await other.acquire('f', asked)
    await members.clock.advance(1_500)
    const after = await other.acquire('f', asked)

    expect(during).toEqual({ role: 'follower', remainingMs: 1_500 })
    expect(after.role === 'leader' && first.role === 'leader' && after.fence - first.fence).toBe(1_500_000)
  })

  it('gives fences that exceed what a gateway gave itself on its own with a clock that is ahead', async () => {
    const members = new Members()
    const store = opened(members, 'one')
    const aboveFence = (members.clock.nowMs() + 3_600_000) * 1000

    expect(await store.acquire('f', { ...asked, aboveFence })).toMatchObject({ fence: aboveFence + 1 })
  })

  it('refuses a member that has left', async () => {
    const members = new Members()
    const store = opened(members, 'one')
    await store[Symbol.asyncDispose]()

    await expect(store.acquire('f', asked)).rejects.toMatchObject({ code: 'lease_store_unavailable' })
  })
})

describe('a worker that does not listen', () => {
  it('is told at most ten thousand changes, and of a new subscription once it has heard them', async () => {
    const members = new Members()
    const [idle, busy] = [await members.join('idle'), await members.join('busy')]
    const own = opened(members, 'own')
    idle.worker.stall()
    const sentBefore = idle.supervisor.sent.length

    for (let at = 0; at < 12_000; at += 1) await own.write(`f${at}`, ready)
    const sent = idle.supervisor.sent.length - sentBefore
    idle.worker.resume()
    await idle.store.probe('f')
    await own.write('after', ready)
    await idle.store.probe('f')

    expect(sent).toBe(10_000)
    expect(idle.told.slice(10_000)).toEqual(['f9999', 'subscribed', 'after'])
    expect(busy.told).toHaveLength(12_002)
  })

  it('is told all when it keeps up, however many changes there are', async () => {
    const members = new Members()
    const keen = await members.join('keen')
    const own = opened(members, 'own')

    for (let at = 0; at < 25_000; at += 1) await own.write(`f${at % 10}`, { ...ready, condition: 'fence', value: 0 })
    await keen.store.probe('f')

    expect(keen.told.filter((told) => told === 'subscribed')).toHaveLength(1)
    expect(keen.changes).toHaveLength(25_000)
  })
})
