import { describe, expect, it } from 'vitest'
import type { ForwardCall, Forwarder } from '../../../core/http/forwarder.ts'
import { LazyForwarder } from '../../../core/http/lazy-forwarder.ts'
import { textReply } from '../../../core/pipeline/buffer-reply.ts'

const call = {} as ForwardCall // nobody looks into it here

class CountingEngine implements Forwarder {
  calls = 0
  disposals = 0

  async forward() {
    this.calls += 1
    return textReply(200, 'done')
  }

  async [Symbol.asyncDispose]() {
    this.disposals += 1
  }
}

describe('an engine that is loaded with its first call', () => {
  it('is loaded once, by whichever call comes first', async () => {
    const engine = new CountingEngine()
    let loads = 0
    const lazy = new LazyForwarder(async () => {
      loads += 1
      return engine
    })
    expect(loads).toBe(0)

    const replies = await Promise.all([lazy.forward(call), lazy.forward(call), lazy.forward(call)])

    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200])
    expect({ loads, calls: engine.calls }).toEqual({ loads: 1, calls: 3 })
  })

  it('is closed when it was loaded', async () => {
    const engine = new CountingEngine()
    const lazy = new LazyForwarder(async () => engine)
    await lazy.forward(call)

    await lazy[Symbol.asyncDispose]()

    expect(engine.disposals).toBe(1)
  })

  it('is not loaded in order to be closed', async () => {
    const lazy = new LazyForwarder(() => Promise.reject(new Error('loaded')))

    await expect(lazy[Symbol.asyncDispose]()).resolves.toBeUndefined()
  })
})
