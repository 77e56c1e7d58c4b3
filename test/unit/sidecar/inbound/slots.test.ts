import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { Slots, type SlotWaiter } from '../../../../sidecar/inbound/slots.ts'

/** Wants some slots, and notes who got one. */
function waiter(name: string, want: number, taken: string[]): SlotWaiter & { isServed: boolean } {
  let left = want
  return {
    isServed: false,
    take() {
      taken.push(name)
      left -= 1
      return left > 0
    },
    served() {
      this.isServed = true
    },
  }
}

function openSlots(limit: number): Slots {
  const slots = new Slots(limit)
  slots.setOpen(true)
  return slots
}

describe('Slots', () => {
  it('gives as many away as there are', () => {
    const slots = openSlots(2)

    expect([slots.tryTake(), slots.tryTake(), slots.tryTake()]).toEqual([true, true, false])
    slots.release()
    expect([slots.tryTake(), slots.tryTake()]).toEqual([true, false])
  })

  it('gives away without end when there is no limit', () => {
    const slots = openSlots(0)

    expect(Array.from({ length: 10_000 }, () => slots.tryTake()).every(Boolean)).toBe(true)
  })

  it('gives nothing away while it is closed, and to those who wait when it opens', () => {
    const slots = new Slots(1)
    const taken: string[] = []
    const early = slots.tryTake()
    slots.wait('a', waiter('a', 1, taken))

    slots.setOpen(true)

    expect([early, taken]).toEqual([false, ['a']])
  })

  it('takes turns between parties, one slot each, first come first served inside a party', () => {
    const slots = openSlots(1)
    slots.tryTake()
    const taken: string[] = []
    for (const name of ['a1', 'a2', 'a3']) slots.wait('a', waiter(name, 1, taken))
    for (const name of ['b1', 'b2']) slots.wait('b', waiter(name, 1, taken))
    slots.wait('c', waiter('c1', 1, taken))

    for (let released = 0; released < 6; released += 1) slots.release()

    expect(taken).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3'])
  })

  it('shares what is there at once between those who want several, and they are served with it', () => {
    const slots = new Slots(5)
    const taken: string[] = []
    const [a, b] = [waiter('a', 4, taken), waiter('b', 4, taken)]
    slots.wait('a', a)
    slots.wait('b', b)

    slots.setOpen(true)
    slots.release()

    expect(taken).toEqual(['a', 'b', 'a', 'b', 'a'])
    expect([a.isServed, b.isServed]).toEqual([true, true])
    expect(slots.tryTake()).toBe(true)
  })

  it('passes over whoever has withdrawn', () => {
    const slots = openSlots(1)
    slots.tryTake()
    const taken: string[] = []
    const gone = waiter('gone', 1, taken)
    slots.wait('a', gone)
    slots.wait('b', waiter('b', 1, taken))

    slots.withdraw('a', gone)
    slots.withdraw('nobody', gone)
    slots.release()

    expect(taken).toEqual(['b'])
  })

  it('never exceeds its limit, and leaves nobody waiting beside a free slot, whatever happens in whatever order', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(anyStep, { maxLength: 60 }), (limit, steps) => {
        const world = new World(limit)
        for (const step of steps) {
          world[step.kind](step.number)
          expect(world.held).toBeLessThanOrEqual(limit)
          if (world.somebodyWaits) expect(world.held).toBe(limit)
        }
      }),
      { numRuns: 500 },
    )
  })
})

const anyStep = fc.record({
  kind: fc.constantFrom('take', 'release', 'wait', 'withdraw', 'open', 'close'),
  number: fc.nat(1000),
})

/** Slots, and what was done with them. */
class World {
  readonly #slots: Slots
  readonly #given: string[] = []
  readonly #waiting = new Map<SlotWaiter & { isServed: boolean }, string>()
  #direct = 0
  #released = 0
  #isOpen = true

  constructor(limit: number) {
    this.#slots = openSlots(limit)
  }

  get held(): number {
    return this.#given.length + this.#direct - this.#released
  }

  get somebodyWaits(): boolean {
    for (const one of this.#waiting.keys()) if (one.isServed) this.#waiting.delete(one)
    return this.#isOpen && this.#waiting.size > 0
  }

  take(): void {
    if (this.#slots.tryTake()) this.#direct += 1
  }

  release(): void {
    if (this.held === 0) return
    this.#released += 1
    this.#slots.release()
  }

  wait(number: number): void {
    const party = `party ${number % 4}`
    const one = waiter(party, 1 + (number % 3), this.#given)
    this.#waiting.set(one, party)
    this.#slots.wait(party, one)
  }

  withdraw(number: number): void {
    const [one, party] = [...this.#waiting][number % Math.max(1, this.#waiting.size)] ?? []
    if (one === undefined || party === undefined) return
    this.#slots.withdraw(party, one)
    this.#waiting.delete(one)
  }

  open(): void {
    this.#isOpen = true
    this.#slots.setOpen(true)
  }

  close(): void {
    this.#isOpen = false
    this.#slots.setOpen(false)
  }
}
