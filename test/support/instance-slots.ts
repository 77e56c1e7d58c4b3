/** One gateway's question for slots. */
export interface SlotQuestion {
  readonly gateway: string
  readonly want: number
  answer(slots: readonly string[]): void
}

/** How long a slot is kept for the gateway that it was given to. */
const reservedMs = 500

/** The slots of one instance double: who has them, who waits for them. */
export class InstanceSlots {
  readonly #limit: number
  readonly #reserved = new Map<string, NodeJS.Timeout>()
  #questions: SlotQuestion[] = []
  #inFlight = 0
  #made = 0
  /** Slots that nobody used in time. */
  expired = 0
  /** Told whenever a slot was given away. */
  onGranted: ((gateway: string, slot: string) => void) | undefined

  constructor(limit: number) {
    this.#limit = limit
  }

  /** Gateways that wait. */
  get waiting(): readonly string[] {
    return this.#questions.map(({ gateway }) => gateway)
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** Slots that are given away and not used yet. */
  get reserved(): number {
    return this.#reserved.size
  }

  /** Lets a call in. */
  take(slot: string | undefined): boolean {
    const isKept = slot !== undefined && this.#forget(slot)
    if (!isKept && this.#isFull) return false
    this.#inFlight += 1
    return true
  }

  /** A call has ended. */
  free(): void {
    this.#inFlight -= 1
    this.#handOut()
  }

  giveBack(slot: string): void {
    if (this.#forget(slot)) this.#handOut()
  }

  ask(question: SlotQuestion): void {
    this.#questions.push(question)
    this.#handOut()
  }

  withdraw(question: SlotQuestion): void {
    this.#questions = this.#questions.filter((one) => one !== question)
  }

  [Symbol.dispose](): void {
    for (const timer of this.#reserved.values()) clearTimeout(timer)
    this.#reserved.clear()
  }

  get #isFull(): boolean {
    return this.#limit > 0 && this.#inFlight + this.#reserved.size >= this.#limit
  }

  #forget(slot: string): boolean {
    clearTimeout(this.#reserved.get(slot))
    return this.#reserved.delete(slot)
  }

  /** One slot each, in turn, to those who have waited longest; whoever got one goes behind the others. */
  #handOut(): void {
    const given = new Map<SlotQuestion, string[]>()
    for (let [next] = this.#questions; next !== undefined && !this.#isFull; [next] = this.#questions) {
      const slots = given.get(next) ?? []
      given.set(next, [...slots, this.#reserve(next.gateway)])
      this.withdraw(next)
      if (slots.length + 1 < next.want) this.#questions.push(next)
    }
    for (const [question, slots] of given) {
      this.withdraw(question)
      question.answer(slots)
    }
  }

  #reserve(gateway: string): string {
    this.#made += 1
    const slot = `slot-${this.#made}`
    const onExpiry = (): void => {
      this.expired += 1
      this.giveBack(slot)
    }
    this.#reserved.set(slot, setTimeout(onExpiry, reservedMs))
    this.onGranted?.(gateway, slot)
    return slot
  }
}
