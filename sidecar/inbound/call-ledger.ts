import type { Clock, InstanceLoad } from '#core/lean'

/** Keeps count of what the function works on, for gateways and for whoever decides that it is idle. */
export class CallLedger {
  readonly #clock: Clock
  #inFlight = 0
  #streams = 0
  #changedAtMs: number
  readonly #idleWaiters = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
    this.#changedAtMs = clock.monotonicMs()
  }

  /** Calls that the function works on. */
  get inFlight(): number {
    return this.#inFlight
  }

  /** A call has reached the function. */
  began(): void {
    this.#inFlight += 1
    this.#changedAtMs = this.#clock.monotonicMs()
  }

  /** A call is over. */
  ended(): void {
    this.#inFlight -= 1
    this.#changedAtMs = this.#clock.monotonicMs()
    if (this.#inFlight > 0) return
    for (const tell of this.#idleWaiters) tell()
    this.#idleWaiters.clear()
  }

  /** A call in flight turned out to be a stream. */
  streamBegan(): void {
    this.#streams += 1
  }

  /** A stream is over. */
  streamEnded(): void {
    this.#streams -= 1
  }

  /** What there is to do now. @param queued calls that wait for a slot */
  load(queued: number): InstanceLoad {
    const idleForMs = this.#inFlight > 0 ? 0 : Math.max(0, this.#clock.monotonicMs() - this.#changedAtMs)
    return { inFlight: this.#inFlight, queued, streams: this.#streams, idleForMs }
  }

  /** Resolves as soon as no call is in flight, or when the signal aborts. */
  idle(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        signal.removeEventListener('abort', done)
        this.#idleWaiters.delete(done)
        resolve()
      }
      if (this.#inFlight === 0 || signal.aborted) resolve()
      else {
        this.#idleWaiters.add(done)
        signal.addEventListener('abort', done, { once: true })
      }
    })
  }
}
