import { GatewayError } from '../errors/gateway-error.ts'
import type { GatewayRequest } from '../http/gateway-request.ts'
import type { Clock } from '../time/clock.ts'

/** When a waiter gives up, and who is told that it stopped waiting. */
export interface WaiterTerms {
  readonly timeoutMs: number
  /** Makes the error of a waiter that ran out of time. */
  readonly timedOut: (waitedMs: number) => GatewayError
  /** Called once, when the call stops waiting for whatever reason. */
  readonly onSettled: (waiter: Waiter) => void
}

/** One held call: it is released, refused, runs out of its own time, or its client leaves; whatever happens first. */
export class Waiter {
  readonly released: Promise<void>
  readonly #clock: Clock
  readonly #startedMs: number
  #settle: (error: GatewayError | undefined) => void
  #timer: Disposable | undefined
  #timedOut: WaiterTerms['timedOut']

  constructor(clock: Clock, request: GatewayRequest, { timeoutMs, timedOut, onSettled }: WaiterTerms) {
    this.#clock = clock
    this.#startedMs = clock.monotonicMs()
    this.#timedOut = timedOut
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.released = promise
    this.#settle = (error) => {
      this.#settle = () => {}
      this.#timer?.[Symbol.dispose]()
      request.offGone(onGone)
      onSettled(this)
      if (error === undefined) resolve()
      else reject(error)
    }
    const onGone = (): void => this.refuse(new GatewayError('client_closed', 'the client left while its call was held'))
    this.limit(timeoutMs)
    request.onGone(onGone)
  }

  /** Milliseconds waited so far. */
  get waitedMs(): number {
    return this.#clock.monotonicMs() - this.#startedMs
  }

  /** Sets the longest time to wait, counted from the beginning. */
  limit(timeoutMs: number): void {
    this.#timer?.[Symbol.dispose]()
    this.#timer = this.#clock.after(Math.max(0, timeoutMs - this.waitedMs), () =>
      this.refuse(this.#timedOut(Math.max(timeoutMs, this.waitedMs))),
    )
  }

  /** Lets the call go on. */
  release(): void {
    this.#settle(undefined)
  }

  /** Ends the call with an error. */
  refuse(error: GatewayError): void {
    this.#settle(error)
  }
}
