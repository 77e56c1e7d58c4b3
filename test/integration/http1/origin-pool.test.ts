import { describe, expect, it } from 'vitest'
import { ConnectionBudget } from '../../../core/http1/connection-budget.ts'
import type { Connection } from '../../../core/http1/connection.ts'
import { OriginPool, type PooledCall } from '../../../core/http1/origin-pool.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { eventually } from '../../support/eventually.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'
import { RawUpstream } from './raw-upstream.ts'

guardAgainstLeaks()

class Call implements PooledCall {
  readonly request = {}
  readonly method = 'GET'
  readonly head = 'GET / HTTP/1.1\r\nHost: f\r\n\r\n'
  readonly body = undefined
  readonly bodyLength = 0
  readonly keepsConnection = true
  readonly heard: string[] = []
  connection: Connection | undefined

  onConnection(connection: Connection): void {
    this.heard.push('connection')
    this.connection = connection
    connection.carry(this)
  }

  onInformation(): void {}

  onHead(): void {}

  onPiece(): boolean {
    return true
  }

  onEnd(): void {
    this.heard.push('end')
  }

  onBroken(): void {
    this.heard.push('broken')
  }
}

function poolFor(upstream: RawUpstream, maxConnections: number): OriginPool & Disposable {
  const pool = new OriginPool(
    { clock: new SystemClock(), budget: new ConnectionBudget(100, () => {}) },
    {
      name: 'f',
      host: '127.0.0.1',
      port: Number(new URL(upstream.origin).port),
      maxConnections,
      maxHeaderBytes: 65_536,
      maxHeaderLines: 100,
      connectTimeoutMs: 1_000,
    },
  )
  return Object.assign(pool, { [Symbol.dispose]: () => pool.destroy() })
}

describe('OriginPool', () => {
  it('opens a connection of its own for the repeat of a cut call, and keeps it when the call leaves', async () => {
    await using upstream = await RawUpstream.start()
    using pool = poolFor(upstream, 2)
    const cut = new Call()
    pool.noteCut(cut)
    pool.acquire(cut)

    pool.leave(cut)
    await eventually('the connection to be idle', () => pool.oldestIdleMs !== undefined)
    const others = [new Call(), new Call()]
    for (const one of others) pool.acquire(one)
    await eventually('their ends', () => others.every(({ heard }) => heard.includes('end')))

    expect(cut.heard).toEqual([])
    expect(upstream.connections).toHaveLength(2)
  })

  it('does not give a call that left the connection that is opened for it', async () => {
    await using upstream = await RawUpstream.start()
    using pool = poolFor(upstream, 2)
    const leaving = new Call()
    pool.acquire(leaving)

    pool.leave(leaving)
    await eventually('the connection to be idle', () => pool.oldestIdleMs !== undefined)

    expect(leaving.heard).toEqual([])
  })

  it('opens no more connections than there are calls that wait', async () => {
    await using upstream = await RawUpstream.start()
    using pool = poolFor(upstream, 100)
    const calls = [new Call(), new Call(), new Call()]

    for (const call of calls) pool.acquire(call)
    await eventually('their ends', () => calls.every(({ heard }) => heard.includes('end')))

    expect(upstream.connections.length).toBeLessThanOrEqual(3)
  })

  it('is empty, and can go, a minute after its last call and no earlier', async () => {
    await using upstream = await RawUpstream.start()
    using pool = poolFor(upstream, 1)
    const clock = new SystemClock()
    const call = new Call()
    pool.acquire(call)
    await eventually('its end', () => call.heard.includes('end'))
    const usedAtMs = clock.monotonicMs()

    const goes = [3_000, 30_000, 61_000].map((laterMs) => pool.sweep(usedAtMs + laterMs))

    expect(goes).toEqual([false, false, true])
    expect(pool.isEmpty).toBe(true)
  })
})
