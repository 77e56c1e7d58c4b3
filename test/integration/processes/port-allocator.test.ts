import { describe, expect, it } from 'vitest'
import { PortAllocator } from '../../../core/processes/port-allocator.ts'

describe('PortAllocator', () => {
  it('hands every port out once, until it is given back', async () => {
    const ports = new PortAllocator({ range: { from: 18_500, to: 18_502 }, random: () => 0.5 })

    const taken = [await ports.take(), await ports.take(), await ports.take()]
    const none = await ports.take()
    ports.giveBack(18_501)
    ports.giveBack(1)

    expect(new Set(taken)).toEqual(new Set([18_500, 18_501, 18_502]))
    expect(none).toBeUndefined()
    expect(await ports.take()).toBe(18_501)
    expect(await ports.takeExactly(18_502)).toBe(false)
  })

  it('does not hand out what another one has, although nobody listens there yet', async () => {
    const range = { from: 18_510, to: 18_511 }
    const [one, other] = [new PortAllocator({ range, random: () => 0 }), new PortAllocator({ range, random: () => 0 })]

    const first = await one.take()
    const second = await other.take()
    const none = await other.take()
    one.giveBack(first ?? 0)
    const afterwards = await other.take()
    for (const port of [second, afterwards]) other.giveBack(port ?? 0)

    expect(new Set([first, second])).toEqual(new Set([18_510, 18_511]))
    expect(none).toBeUndefined()
    expect(afterwards).toBe(first)
  })
})
