import { describe, expect, it } from 'vitest'
import { BufferReply, type Reply } from '../../../../core/index.ts'
import type { Replica } from '../../../../plugins/local-provider/replicas/replica.ts'
import { ReplicaSet } from '../../../../plugins/local-provider/replicas/replica-set.ts'

/** A replica that becomes ready when the test says so. */
class FakeReplica implements Replica {
  readonly instance: string
  readonly groups = []
  isReady = false
  hasRoom = true
  isStopped = false
  reason = ''

  constructor(instance: string) {
    this.instance = instance
  }

  start(): void {}

  async explain(): Promise<void> {}

  async answer(): Promise<Reply> {
    return new BufferReply(200)
  }

  async stop(): Promise<void> {
    this.isReady = false
    this.isStopped = true
  }
}

function setOf(): { readonly set: ReplicaSet; readonly made: FakeReplica[] } {
  const made: FakeReplica[] = []
  const create = (): FakeReplica => {
    const one = new FakeReplica(String(made.length))
    made.push(one)
    return one
  }
  return { set: new ReplicaSet(create, () => {}), made }
}

describe('ReplicaSet', () => {
  it('stops those that are not ready first, then the youngest', () => {
    const { set, made } = setOf()
    set.scale(4)
    for (const index of [1, 2, 3]) (made[index] as FakeReplica).isReady = true

    set.scale(2)

    expect(made.filter(({ isStopped }) => isStopped).map(({ instance }) => instance)).toEqual(['0', '3'])
    expect(set.available).toBe(2)
  })

  it('starts with another ready replica every time', () => {
    const { set, made } = setOf()
    set.scale(3)
    for (const one of made) one.isReady = true

    const firsts = Array.from({ length: 6 }, () => set.ready()[0]?.instance)

    expect(new Set(firsts.slice(0, 3))).toEqual(new Set(['0', '1', '2']))
    expect(firsts.slice(0, 3)).toEqual(firsts.slice(3))
  })

  it('tries replicas without room last, but tries them', () => {
    const { set, made } = setOf()
    set.scale(3)
    for (const one of made) one.isReady = true
    ;(made[1] as FakeReplica).hasRoom = false

    const orders = Array.from({ length: 3 }, () => set.ready().map(({ instance }) => instance))

    expect(orders.map((order) => order.length)).toEqual([3, 3, 3])
    expect(orders.map((order) => order.at(-1))).toEqual(['1', '1', '1'])
  })

  it('gives the first reason there is', () => {
    const { set, made } = setOf()
    set.scale(2)
    ;(made[1] as FakeReplica).reason = 'it broke'

    expect(set.reason).toBe('it broke')
  })
})
