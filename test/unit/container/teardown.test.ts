import { describe, expect, it } from 'vitest'
import { Teardown } from '../../../core/container/teardown.ts'

describe('Teardown', () => {
  it('closes in reverse order, one after the other', async () => {
    const teardown = new Teardown()
    const order: string[] = []
    teardown.defer('first', () => order.push('first'))
    teardown.defer('slow', async () => {
      await new Promise((resolve) => setImmediate(resolve))
      order.push('slow')
    })

    await teardown[Symbol.asyncDispose]()

    expect(order).toEqual(['slow', 'first'])
  })

  it('closes everything and reports every failure by name', async () => {
    const teardown = new Teardown()
    const causes = [new Error('disk full'), new Error('no route')]
    let isClosed = false
    teardown.defer('innocent', () => (isClosed = true))
    teardown.defer('journal', () => {
      throw causes[0]
    })
    teardown.defer('uplink', () => Promise.reject(causes[1]))

    const closing = teardown[Symbol.asyncDispose]()

    await expect(closing).rejects.toMatchObject({
      message: 'closing uplink failed: no route; closing journal failed: disk full',
      errors: [{ cause: causes[1] }, { cause: causes[0] }],
    })
    expect(isClosed).toBe(true)
  })

  it('closes every entry once, however often it is asked', async () => {
    const teardown = new Teardown()
    let times = 0
    teardown.defer('once', () => (times += 1))

    await teardown[Symbol.asyncDispose]()
    await teardown[Symbol.asyncDispose]()

    expect(times).toBe(1)
  })

  it('closes what is added while it closes', async () => {
    const teardown = new Teardown()
    const order: string[] = []
    teardown.defer('outer', () => {
      order.push('outer')
      teardown.defer('inner', () => order.push('inner'))
    })

    await teardown[Symbol.asyncDispose]()

    expect(order).toEqual(['outer', 'inner'])
  })
})
