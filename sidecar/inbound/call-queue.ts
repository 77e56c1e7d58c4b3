import type { Clock, GatewayRequest } from '#core/lean'
import type { Slots, SlotWaiter } from './slots.ts'

/** How waiting ended: with a slot, which the caller holds now, or without one. */
export type WaitEnd = 'taken' | 'full' | 'late' | 'gone'

/** Settings of the queue. */
export interface CallQueueOptions {
  /** Most calls that wait at a time. */
  readonly length: number
  /** Longest wait of one, milliseconds. */
  readonly timeoutMs: number
  /** Longest time of the listener for reading a request, milliseconds; 0 is no limit. */
  readonly readTimeoutMs: number
}

/** Takes turns with the gateways, as one party. No gateway has an empty name. */
const party = ''

/** Share of the time for reading a request that a call may wait whose body has not arrived: the rest is for the body. */
const waitShare = 0.5

/** The calls that wait here for a slot: those of callers that know no other instance. First come, first served. */
export class CallQueue {
  readonly #deps: { readonly slots: Slots; readonly clock: Clock }
  readonly #options: CallQueueOptions
  #size = 0

  constructor(deps: { slots: Slots; clock: Clock }, options: CallQueueOptions) {
    this.#deps = deps
    this.#options = options
  }

  /** How many wait. */
  get size(): number {
    return this.#size
  }

  /**
   * Waits for a slot. The time for reading a request goes on meanwhile, with the body unread on purpose: where it is still on its way, the
   * wait ends early enough that the caller is told to come again, not that it was too slow. A caller that leaves waits no more, and
   * costs nothing from then on.
   */
  async wait(request: GatewayRequest): Promise<WaitEnd> {
    if (this.#size >= this.#options.length) return 'full'
    this.#size += 1
    try {
      return await this.#wait(request)
    } finally {
      this.#size -= 1
    }
  }

  #wait(request: GatewayRequest): Promise<WaitEnd> {
    const { slots, clock } = this.#deps
    return new Promise((resolve) => {
      const settle = (end: WaitEnd): void => {
        for (const timer of timers) timer[Symbol.dispose]()
        request.offGone(onGone)
        resolve(end)
      }
      const giveUp = (end: WaitEnd): void => {
        slots.withdraw(party, waiter)
        settle(end)
      }
      const onGone = (): void => giveUp('gone')
      const waiter: SlotWaiter = { take: () => false, served: () => settle('taken') }
      const { timeoutMs, readTimeoutMs } = this.#options
      const timers = [clock.after(timeoutMs, () => giveUp('late'))]
      const untilBodyMs = readTimeoutMs * waitShare
      if (readTimeoutMs > 0 && untilBodyMs < timeoutMs && !request.body.hasArrived) {
        timers.push(clock.after(untilBodyMs, () => void (request.body.hasArrived || giveUp('late'))))
      }
      request.onGone(onGone)
      if (!request.gone) slots.wait(party, waiter)
    })
  }
}
