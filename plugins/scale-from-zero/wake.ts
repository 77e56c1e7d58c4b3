import type { FunctionIdentity, FunctionState, GatewayError, Waiter } from '#core'

/** Measured with 300 callers: 3 to 24 give much the same; all at once, the first of them waits twice as long. */
const releasedPerTurn = 8

/** One wake of one function, shared by all callers of this process that wait for it. */
export class Wake {
  readonly identity: FunctionIdentity
  readonly startedMs: number
  /** The newest observation of the function. */
  seen: FunctionState | undefined
  /** How often the function failed in a row before this wake, and why it did last. */
  readonly failures: number
  readonly lastReason: string
  /** Callers that ever joined. */
  joined = 0
  /** Whether this gateway does the work; undefined until it is known. */
  role: 'leader' | 'follower' | undefined
  /** How long its callers are held, in milliseconds. */
  holdMs: number
  readonly #waiters = new Set<Waiter>()
  readonly #end = new AbortController()
  #ending: 'released' | 'refused' | undefined
  #refusal: GatewayError | undefined

  constructor(
    identity: FunctionIdentity,
    { startedMs, holdMs, seen }: { startedMs: number; holdMs: number; seen: FunctionState | undefined },
  ) {
    this.identity = identity
    this.startedMs = startedMs
    this.holdMs = holdMs
    this.seen = seen
    this.failures = seen?.failures ?? 0
    this.lastReason = seen?.reason ?? ''
  }

  /** Aborts when the work may stop: nobody waits any more. */
  get signal(): AbortSignal {
    return this.#end.signal
  }

  /** What became of its callers: undefined while they wait, and when they all left by themselves. */
  get ending(): 'released' | 'refused' | undefined {
    return this.#ending
  }

  /** Whether the function was ever observed: before that, nobody knows whether it exists. */
  get isKnown(): boolean {
    return this.seen !== undefined && this.seen.observedAtMs > 0
  }

  /** Whether everybody left before it was over. */
  get isAbandoned(): boolean {
    return this.signal.aborted && this.#ending === undefined
  }

  /** Why its callers were refused; undefined when they were not. */
  get refusal(): GatewayError | undefined {
    return this.#refusal
  }

  /** Whether it has lasted longer than its first caller would wait. */
  isOverdue(nowMs: number): boolean {
    // Timers may ring a fraction of a millisecond early.
    return Math.ceil(nowMs - this.startedMs) >= this.holdMs
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#waiters.size
  }

  /** Adds a waiter. */
  join(waiter: Waiter): void {
    this.joined += 1
    this.#waiters.add(waiter)
  }

  /** Takes a waiter out; when the last one leaves, the work may stop. */
  leave(waiter: Waiter): void {
    this.#waiters.delete(waiter)
    if (this.#waiters.size === 0) this.abandon()
  }

  /** Stops the work. */
  abandon(): void {
    this.#end.abort(new Error('nobody waits for this wake'))
  }

  /** Gives every waiter a new time limit, counted from its beginning. */
  limit(timeoutMs: number): void {
    this.holdMs = timeoutMs
    for (const waiter of this.#waiters) waiter.limit(timeoutMs)
  }

  /**
   * Lets all callers go on, in the order they came and a few in each turn of the event loop: the first ones are on their way
   * before the work for the last ones begins. The work of waking stops at once.
   */
  release(): void {
    if (this.#ending !== undefined) return
    this.#ending = 'released'
    this.abandon()
    this.#releaseSome([...this.#waiters])
  }

  #releaseSome(waiters: readonly Waiter[]): void {
    for (const waiter of waiters.slice(0, releasedPerTurn)) waiter.release()
    if (waiters.length > releasedPerTurn) setImmediate(() => this.#releaseSome(waiters.slice(releasedPerTurn)))
  }

  /** Ends all calls with an error, and with them the work. */
  refuse(error: GatewayError): void {
    if (this.#ending !== undefined) return
    this.#ending = 'refused'
    this.#refusal = error
    for (const waiter of [...this.#waiters]) waiter.refuse(error)
  }
}
