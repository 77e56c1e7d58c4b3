import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { WaitQueue } from '../../../core/http1/wait-queue.ts'

interface Waiter {
  readonly name: number
}

describe('WaitQueue', () => {
  it('behaves like a list from whose front is taken and from anywhere left', () => {
    const steps = fc.array(
      fc.oneof(
        fc.constant({ act: 'add' as const, at: 0 }),
        fc.constant({ act: 'take' as const, at: 0 }),
        fc.record({ act: fc.constant('remove' as const), at: fc.nat(9) }),
      ),
      { maxLength: 60 },
    )
    fc.assert(
      fc.property(steps, (acts) => {
        const queue = new WaitQueue<Waiter>()
        const list: Waiter[] = []
        for (const { act, at } of acts) {
          if (act === 'add') {
            const waiter = { name: list.length }
            queue.add(waiter)
            list.push(waiter)
          } else if (act === 'take') {
            expect(queue.take()).toBe(list.shift())
          } else {
            const waiter = list[at] ?? { name: -1 }
            queue.remove(waiter)
            if (at < list.length) list.splice(at, 1)
          }
          expect(queue.size).toBe(list.length)
        }
        for (const waiter of list) expect(queue.take()).toBe(waiter)
        expect(queue.take()).toBeUndefined()
      }),
    )
  })
})
