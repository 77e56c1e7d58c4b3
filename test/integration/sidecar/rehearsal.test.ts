import { describe, expect, it } from 'vitest'
import type { ForwardCall, Forwarder, Reply } from '#core/lean'
import { createLeanForwarder, SystemClock } from '#core/lean'
import { rehearse } from '../../../sidecar/rehearsal.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { guardAgainstLeaks } from '../../support/leak-guard.ts'

guardAgainstLeaks()

const options = { maxConnectionsPerUpstream: 10, maxHeaderBytes: 65_536, connectTimeoutMs: 1_000 }

/** Forwards, and takes note of what came back. */
class WatchedForwarder implements Forwarder {
  readonly statuses: number[] = []
  readonly forgotten: string[] = []
  readonly #forwarder = createLeanForwarder(new SystemClock(), options)

  async forward(call: ForwardCall): Promise<Reply> {
    const reply = await this.#forwarder.forward(call)
    this.statuses.push(reply.status)
    return reply
  }

  forget(origin: string): void {
    this.forgotten.push(origin)
    this.#forwarder.forget?.(origin)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#forwarder[Symbol.asyncDispose]()
  }
}

describe('rehearse', () => {
  it('has calls pass through the forwarder, and leaves nothing behind', async () => {
    await using forwarder = new WatchedForwarder()

    await rehearse({ clock: new SystemClock(), log: new FakeLogger(), forwarder, isOver: () => false })

    expect(forwarder.statuses).toEqual(Array.from({ length: 12 }, () => 200))
    expect(forwarder.forgotten).toHaveLength(1)
  })

  it('ends as soon as the function takes calls', async () => {
    await using forwarder = new WatchedForwarder()
    const isOver = (): boolean => forwarder.statuses.length >= 3

    await rehearse({ clock: new SystemClock(), log: new FakeLogger(), forwarder, isOver })

    expect(forwarder.statuses).toHaveLength(3)
  })

  it('lets nobody feel that it failed', async () => {
    const log = new FakeLogger()
    const forwarder: Forwarder = {
      forward: () => {
        throw new Error('a bug')
      },
      [Symbol.asyncDispose]: async () => {},
    }

    await rehearse({ clock: new SystemClock(), log, forwarder, isOver: () => false })

    expect(log.messages('warn')).toEqual([])
    expect(log.messages('error')).toEqual([])
  })
})
