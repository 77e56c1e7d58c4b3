import { describe, expect, it } from 'vitest'
import { ConnectionBudget, type BudgetUser } from '../../../core/http1/connection-budget.ts'

class Taker implements BudgetUser {
  readonly #budget: () => ConnectionBudget
  wants = 0
  taken = 0

  constructor(budget: () => ConnectionBudget) {
    this.#budget = budget
  }

  onRoom(): void {
    while (this.wants > 0 && this.#budget().take(this)) {
      this.wants -= 1
      this.taken += 1
    }
  }

  want(count: number): this {
    this.wants += count
    this.onRoom()
    return this
  }
}

function setup(maxConnections: number) {
  const idle: Taker[] = []
  const budget: ConnectionBudget = new ConnectionBudget(maxConnections, () => {
    const owner = idle.shift()
    if (owner === undefined) return
    owner.taken -= 1
    budget.give()
  })
  return { budget, idle, taker: () => new Taker(() => budget) }
}

describe('ConnectionBudget', () => {
  it('closes what is idle for somebody who needs room', () => {
    const { idle, taker } = setup(1)
    const first = taker().want(1)
    idle.push(first)

    const second = taker().want(1)

    expect([first.taken, second.taken]).toEqual([0, 1])
  })

  it('gives room in the order of asking, and past those who need none any more', () => {
    const { budget, taker } = setup(1)
    taker().want(1)
    const [second, third, fourth] = [taker().want(1), taker().want(1), taker().want(1)]
    second.wants = 0
    third.wants = 0

    budget.give()

    expect([second.taken, third.taken, fourth.taken]).toEqual([0, 0, 1])
  })

  it('takes room from a connection that becomes idle while somebody waits', () => {
    const { budget, idle, taker } = setup(2)
    const first = taker().want(2)
    const second = taker().want(3)

    idle.push(first)
    budget.idled()

    expect([first.taken, second.taken, second.wants]).toEqual([1, 1, 2])
  })

  it('leaves idle connections alone while nobody waits', () => {
    const { budget, idle, taker } = setup(2)
    idle.push(taker().want(2))

    budget.idled()

    expect(idle).toHaveLength(1)
  })
})
