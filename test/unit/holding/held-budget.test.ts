import { describe, expect, it } from 'vitest'
import { HeldBudget } from '../../../core/holding/held-budget.ts'
import { someRequest, type SomeRequest } from '../http/some-request.ts'

const unlimited = { maxHeldPerFunction: 1e6, maxHeldTotal: 1e6, maxHeldBytes: 1e9 }

/** How many such calls fit into `maxHeldBytes`. */
function fitting(maxHeldBytes: number, decided: SomeRequest): number {
  const budget = new HeldBudget({ ...unlimited, maxHeldBytes })
  const { request } = someRequest(decided)
  for (;;) {
    try {
      budget.take(request, 'echo', budget.count)
    } catch {
      return budget.count
    }
  }
}

describe('HeldBudget', () => {
  it('counts calls until they are given back', () => {
    const budget = new HeldBudget({ ...unlimited, maxHeldTotal: 2 })
    const { request } = someRequest()
    const giveBack = budget.take(request, 'echo', 0)
    budget.take(request, 'echo', 1)

    expect(() => budget.take(request, 'echo', 2)).toThrow('2 calls are already held in all (maxHeldTotal)')
    giveBack()
    expect(budget.count).toBe(1)
    expect(() => budget.take(request, 'echo', 1)).not.toThrow()
  })

  it('takes the size of head and body into account, a body only as far as node buffers it', () => {
    const megabyte = 1024 * 1024

    expect(fitting(megabyte, {})).toBe(127)
    expect(fitting(megabyte, { headers: { 'X-Big': 'x'.repeat(56 * 1024) } })).toBe(15)
    expect(fitting(megabyte, { headers: { 'Content-Length': '16384' } })).toBe(42)
    expect(fitting(megabyte, { headers: { 'Content-Length': '10000000000' } })).toBe(14)
    expect(fitting(megabyte, { headers: { 'Transfer-Encoding': 'chunked' } })).toBe(14)
  })
})
