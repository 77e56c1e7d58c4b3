import { LRUCache } from 'lru-cache'
import type { Clock } from '../time/clock.ts'

/** Longest time until a follower asks again whatever happens, milliseconds: the net under lost messages. */
export const slowPollMs = 1_000

/** Functions of which the last {@link LeaseWaits.wake} is remembered. */
const maxRemembered = 10_000

/** Followers of one process that wait until it is worth asking for a lease again. */
export class LeaseWaits {
  readonly #clock: Clock
  readonly #waiting = new Map<string, Set<() => void>>()
  readonly #wokenAt = new LRUCache<string, number>({ max: maxRemembered })
  #turn = 0
  #allWokenAt = 0

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Counts the calls of {@link wake} and {@link wakeAll}: who asks for a lease notes it before, so that none is missed. */
  get turn(): number {
    return this.#turn
  }

  /**
   * Resolves when the function's waits are ended, or were after the turn `since`; after `atMostMs` at the latest.
   * @throws the signal's reason when it aborts first
   */
  async wait(key: string, until: { atMostMs: number; since: number }, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    if (Math.max(this.#allWokenAt, this.#wokenAt.get(key) ?? 0) > until.since) return
    const ended = new AbortController()
    const end = (): void => ended.abort()
    const waiting = this.#waiting.get(key) ?? new Set()
    this.#waiting.set(key, waiting.add(end))
    try {
      await this.#clock.sleep(until.atMostMs, AbortSignal.any([signal, ended.signal])).catch(() => {})
    } finally {
      waiting.delete(end)
      if (waiting.size === 0 && this.#waiting.get(key) === waiting) this.#waiting.delete(key)
    }
    signal.throwIfAborted()
  }

  /** Ends the waits for one function. */
  wake(key: string): void {
    this.#turn += 1
    this.#wokenAt.set(key, this.#turn)
    for (const end of this.#waiting.get(key) ?? []) end()
  }

  /** Ends all waits. */
  wakeAll(): void {
    this.#turn += 1
    this.#allWokenAt = this.#turn
    for (const waiting of this.#waiting.values()) for (const end of waiting) end()
  }
}
