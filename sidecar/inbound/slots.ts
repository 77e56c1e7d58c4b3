/** Somebody who waits for slots. */
export interface SlotWaiter {
  /** Takes one slot over. Returns whether another one is wanted, too. */
  take(): boolean
  /** It waits no more: it has taken at least one slot, and there is none left for it now. */
  served(): void
}

/**
 * The slots of this instance: the right to work on a call. A slot is held by a call, or reserved for one.
 *
 * Invariant: no more than `limit` are held, whoever asks; while anybody waits, no slot is free.
 * Fairness: waiters belong to parties (a gateway, or all callers that are none), which take turns, one slot each. Inside a party the
 * first to come is the first to be served.
 */
export class Slots {
  readonly #limit: number
  readonly #parties = new Map<string, Set<SlotWaiter>>()
  #held = 0
  #isOpen = false

  /** @param limit most at a time; 0 is no limit */
  constructor(limit: number) {
    this.#limit = limit === 0 ? Number.POSITIVE_INFINITY : limit
  }

  /** Gives slots away from now on, or does not. Those that are held stay with who has them. */
  setOpen(isOpen: boolean): void {
    this.#isOpen = isOpen
    this.#handOut()
  }

  /** Takes a slot if there is one. */
  tryTake(): boolean {
    if (!this.#isOpen || this.#held >= this.#limit) return false
    this.#held += 1
    return true
  }

  /** Gives a slot back: whoever is next has it at once. */
  release(): void {
    this.#held -= 1
    this.#handOut()
  }

  /** Waits for slots, which may be there already. */
  wait(party: string, waiter: SlotWaiter): void {
    const waiters = this.#parties.get(party)
    if (waiters === undefined) this.#parties.set(party, new Set([waiter]))
    else waiters.add(waiter)
    this.#handOut()
  }

  /** Waits no more. Nothing happens when it does not wait. */
  withdraw(party: string, waiter: SlotWaiter): void {
    const waiters = this.#parties.get(party)
    waiters?.delete(waiter)
    if (waiters?.size === 0) this.#parties.delete(party)
  }

  #handOut(): void {
    if (this.#parties.size === 0 || !this.#isOpen || this.#held >= this.#limit) return
    // Those that want several slots take as many as this round has for them.
    const served = new Map<SlotWaiter, string>()
    while (this.#held < this.#limit) {
      const next = this.#parties.entries().next().value
      if (next === undefined) break
      const [party, waiters] = next
      const [waiter] = waiters
      if (waiter === undefined) throw new Error('invariant: a party without a waiter is forgotten')
      this.#held += 1
      served.set(waiter, party)
      if (!waiter.take()) waiters.delete(waiter)
      this.#parties.delete(party)
      if (waiters.size > 0) this.#parties.set(party, waiters) // behind the others
    }
    for (const [waiter, party] of served) {
      this.withdraw(party, waiter)
      waiter.served()
    }
  }
}
