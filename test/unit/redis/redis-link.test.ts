import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { RedisLink } from '../../../core/redis/redis-link.ts'
import { FakeClock } from '../../support/fake-clock.ts'

class FakeClient extends EventEmitter {
  status = 'ready'
  disconnects = 0

  disconnect(): void {
    this.disconnects += 1
    this.end()
  }

  end(): void {
    if (this.status === 'end') return
    this.status = 'end'
    this.emit('end')
  }
}

/** A link whose attempts a test decides, without jitter. */
function linked() {
  const clock = new FakeClock()
  const attempts: PromiseWithResolvers<FakeClient>[] = []
  const up: FakeClient[] = []
  const down: unknown[] = []
  const link = new RedisLink<FakeClient>({
    clock,
    random: () => 0,
    connect: () => {
      const attempt = Promise.withResolvers<FakeClient>()
      attempts.push(attempt)
      return attempt.promise
    },
    onUp: (client) => up.push(client),
    onDown: (fault) => down.push(fault),
    lingerMs: 100,
  })
  const connected = async (): Promise<FakeClient> => {
    const client = new FakeClient()
    attempts.at(-1)?.resolve(client)
    await clock.advance(0)
    return client
  }
  const refused = async (message: string): Promise<void> => {
    attempts.at(-1)?.reject(new Error(message))
    await clock.advance(0)
  }
  return { clock, link, attempts, up, down, connected, refused }
}

describe('RedisLink', () => {
  it('has no client, and a reason, until one is connected', async () => {
    const { link, connected, refused, clock } = linked()
    expect([link.client, String(link.fault)]).toEqual([undefined, 'Error: not connected yet'])

    link.open()
    await refused('nobody there')
    expect([link.client, String(link.fault)]).toEqual([undefined, 'Error: nobody there'])

    await clock.advance(50)
    const client = await connected()
    expect(link.client).toBe(client)
  })

  it('pauses 50 ms after a vain attempt, twice as long after each further one, at most 500 ms', async () => {
    const { link, clock, attempts, refused } = linked()
    link.open()
    const pauses: number[] = []

    for (let attempt = 1; attempt <= 7; attempt += 1) {
      await refused('no')
      let waitedMs = 0
      while (attempts.length === attempt) {
        await clock.advance(10)
        waitedMs += 10
      }
      pauses.push(waitedMs)
    }

    expect(pauses).toEqual([50, 100, 200, 400, 500, 500, 500])
  })

  it('ends a pause when it is told to hurry', async () => {
    const { link, clock, attempts, refused } = linked()
    link.open()
    for (let attempt = 1; attempt <= 5; attempt += 1) {
      await refused('no')
      if (attempt < 5) await clock.advance(500)
    }

    link.hurry()
    await clock.advance(0)

    expect(attempts).toHaveLength(6)
    expect(clock.pending).toBe(0)
  })

  it('connects another client at once when one ends that had lived for a while', async () => {
    const { link, clock, attempts, connected, up, down } = linked()
    link.open()
    const first = await connected()
    await clock.advance(5_000)

    first.emit('error', new Error('reset'))
    first.end()

    expect([link.client, String(link.fault), String(down[0]), attempts.length]).toEqual([
      undefined,
      'Error: reset',
      'Error: reset',
      2,
    ])
    const second = await connected()
    expect(up).toEqual([first, second])
  })

  it('pauses longer and longer when clients end as soon as they are connected', async () => {
    const { link, clock, attempts, connected } = linked()
    link.open()
    ;(await connected()).end()
    await clock.advance(49)
    expect(attempts).toHaveLength(1)
    await clock.advance(1)
    ;(await connected()).end()
    await clock.advance(99)
    expect(attempts).toHaveLength(2)
    await clock.advance(1)
    expect(attempts).toHaveLength(3)
  })

  it('replaces a client when the next one is connected, and lets the old one finish', async () => {
    const { link, clock, connected, down } = linked()
    link.open()
    const old = await connected()
    await clock.advance(1_000)

    link.replace()
    link.replace()
    expect(link.client).toBe(old)
    const fresh = await connected()

    expect([link.client, old.disconnects]).toEqual([fresh, 0])
    await clock.advance(100)
    expect(old.disconnects).toBe(1)
    expect(down).toEqual([])
  })

  it('replaces a client at most once a second', async () => {
    const { link, clock, attempts, connected } = linked()
    link.open()
    await connected()
    await clock.advance(999)

    link.replace()
    expect(attempts).toHaveLength(1)

    await clock.advance(1)
    link.replace()
    expect(attempts).toHaveLength(2)
  })

  it('drops a client once, whoever complains how often', async () => {
    const { link, clock, attempts, connected, down } = linked()
    link.open()
    const bad = await connected()
    await clock.advance(1_000)

    for (let complaints = 0; complaints < 3; complaints += 1) link.drop(bad, new Error('deaf'))

    expect([bad.disconnects, attempts.length, down.length]).toEqual([1, 2, 1])
    const fresh = await connected()
    link.drop(bad, new Error('deaf'))
    expect(link.client).toBe(fresh)
  })

  it('ends all clients when it is disposed, one that is just being connected too', async () => {
    const { link, clock, attempts, connected } = linked()
    link.open()
    const old = await connected()
    await clock.advance(1_000)
    link.replace()
    const lingering = link.client
    const fresh = await connected()

    link[Symbol.dispose]()

    expect([old, fresh].map(({ status }) => status)).toEqual(['end', 'end'])
    expect(lingering).toBe(old)
    expect([link.client, attempts.length]).toEqual([undefined, 2])
  })

  it('ends a client that is connected only after it was disposed', async () => {
    const { link, connected, up, clock } = linked()
    link.open()
    link[Symbol.dispose]()

    const late = await connected()

    expect([late.status, up.length, link.client, clock.pending]).toEqual(['end', 0, undefined, 0])
  })

  it('keeps no alarm when it is disposed in a pause', async () => {
    const { link, clock, refused } = linked()
    link.open()
    await refused('no')

    link[Symbol.dispose]()
    await clock.advance(0)

    expect(clock.pending).toBe(0)
  })
})
