import { GatewayError, holdTimeoutMs, Waiter, type Exchange, type HeldBudget, type ReplicaDirectory } from '#core'
import type { InstanceMetrics } from '../instance-metrics.ts'
import type { Candidate } from '../placement/candidate.ts'
import type { FunctionPool } from '../placement/function-pool.ts'
import { clientLeft, draining, noSlotInTime } from '../refusals.ts'
import { CallLine, type WaitingCall, type WayOut } from './call-line.ts'
import { Questions, type Asking } from './questions.ts'
import type { SlotPollDeps } from './slot-poll.ts'

/** What waiting for slots works with. */
export interface SlotQueueDeps extends SlotPollDeps {
  readonly replicas: ReplicaDirectory
  readonly metrics: InstanceMetrics
  readonly budget: HeldBudget
  /** How long calls wait unless their function says otherwise, in milliseconds. */
  readonly holdTimeoutMs: number
}

/** Pause after a call that tried the provider in vain. */
const probePauseMs = 1_000

/**
 * Calls of one function that wait because its instances are full, first come, first served. While any wait, instances are asked for
 * slots; a slot releases the call that has waited longest, and one that comes too late is given back. While no instance can be asked,
 * one call at a time tries the provider, and the others wait on; they all go there when there is no instance to wait for.
 */
export class SlotQueue implements Asking {
  readonly #deps: SlotQueueDeps
  readonly #pool: FunctionPool
  readonly #line = new CallLine()
  readonly #questions: Questions
  #isReactionDue = false
  /** Whether instances have changed since the last reaction, not calls only. */
  #isOutdated = true
  /** Rings when an ejected instance, or the provider, may be tried again. */
  #alarm: Disposable | undefined
  /** Whether a call is under way that tries the provider. */
  #isProbing = false
  #nextProbeMs = 0
  #isClosed = false

  constructor(deps: SlotQueueDeps, pool: FunctionPool) {
    this.#deps = deps
    this.#pool = pool
    this.#questions = new Questions(deps, pool, this)
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#line.size
  }

  /**
   * Resolves with the way that the call is to take.
   * @throws GatewayError `queue_full`; `overloaded` when the time is over; `client_closed`; `draining`
   */
  async wait(exchange: Exchange): Promise<WayOut> {
    const { clock, metrics } = this.#deps
    const fromMs = clock.monotonicMs()
    try {
      const call = this.#admit(exchange)
      await call.waiter.released
      metrics.waitEnded('released', clock.monotonicMs() - fromMs)
      return call.way
    } catch (error) {
      metrics.waitEnded(endOf(error), clock.monotonicMs() - fromMs)
      throw error
    } finally {
      exchange.times.heldMs += clock.monotonicMs() - fromMs
    }
  }

  /** Something about the instances is not as it was: soon, questions are brought in line with it, many changes at a time. */
  react(): void {
    this.#isOutdated = true
    this.#reactSoon()
  }

  /** A call of this gateway has ended at an instance. */
  mayHaveRoom(candidate: Candidate): void {
    this.#questions.mayHaveRoom(candidate)
  }

  /** A call has ended that was to try the provider. @param isGood whether the next one may */
  probed(isGood: boolean): void {
    this.#isProbing = false
    if (!isGood) this.#nextProbeMs = this.#deps.clock.monotonicMs() + probePauseMs
    this.react()
  }

  /** Refuses those that wait, and who comes later. */
  close(): void {
    this.#isClosed = true
    this.#alarm?.[Symbol.dispose]()
    for (let call = this.#line.first; call !== undefined; call = this.#line.first) call.waiter.refuse(draining())
    this.#questions.stopAll()
  }

  granted(candidate: Candidate, slots: readonly string[]): void {
    for (const slot of slots) {
      if (!this.#release({ candidate, slot })) this.#deps.slots.giveBack(candidate.instance, slot)
    }
  }

  tryWithout(candidate: Candidate): void {
    this.#release({ candidate, slot: undefined })
  }

  #admit({ route, request, times }: Exchange): WaitingCall {
    const { clock, budget, replicas } = this.#deps
    const { key } = route.identity
    if (request.gone) throw clientLeft()
    if (this.#isClosed) throw draining()
    const giveBack = budget.take(request, key, this.#line.size)
    const call: WaitingCall = {
      receivedMs: times.receivedMs,
      way: 'provider',
      waiter: new Waiter(clock, request, {
        timeoutMs: Math.max(0, holdTimeoutMs(replicas.get(key), this.#deps.holdTimeoutMs) - times.heldMs),
        timedOut: () => this.#timedOut(times.heldMs, call),
        onSettled: () => {
          giveBack()
          this.#line.remove(call)
          if (this.#line.size === 0) this.#questions.linger()
        },
      }),
    }
    this.#line.add(call)
    this.#reactSoon()
    return call
  }

  #timedOut(heldMs: number, { waiter }: WaitingCall): GatewayError {
    return noSlotInTime(this.#pool.functionKey, {
      waitedMs: heldMs + waiter.waitedMs,
      instances: this.#pool.ready.length,
      waiting: this.#line.size - 1,
    })
  }

  /** Calls often come many at a time: the instances are asked once it is known how many. */
  #reactSoon(): void {
    if (this.#isReactionDue || this.#isClosed) return
    this.#isReactionDue = true
    setImmediate(() => {
      this.#isReactionDue = false
      if (!this.#isClosed) this.#react()
    })
  }

  #react(): void {
    if (this.#isOutdated && this.#line.size > 0) this.#lookAround()
    if (this.#line.size > 0) this.#questions.askMore()
  }

  #lookAround(): void {
    this.#isOutdated = false
    this.#alarm?.[Symbol.dispose]()
    this.#alarm = undefined
    const usable = this.#questions.look()
    if (usable.size === 0) this.#withoutInstance()
    else this.#releaseToUnlimited([...usable].filter(({ limit }) => limit === 0))
    this.#setAlarm()
  }

  /** The provider may know of instances that this gateway does not; a whole line at once would be too much for them. */
  #withoutInstance(): void {
    if (!this.#pool.isStaying) while (this.#release('provider'));
    else if (!this.#isProbing && this.#probePauseMs === 0) this.#isProbing = this.#release('probe')
  }

  get #probePauseMs(): number {
    return Math.max(0, this.#nextProbeMs - this.#deps.clock.monotonicMs())
  }

  #setAlarm(): void {
    let delayMs = this.#probePauseMs || Number.POSITIVE_INFINITY
    for (const { health } of this.#pool.ready) if (health.pauseMs > 0) delayMs = Math.min(delayMs, health.pauseMs)
    if (delayMs < Number.POSITIVE_INFINITY) this.#alarm = this.#deps.clock.after(delayMs, () => this.react())
  }

  #release(way: WayOut): boolean {
    const call = this.#line.first
    if (call === undefined) return false
    call.way = way
    call.waiter.release()
    return true
  }

  /** Sends each call to one of these in turn. */
  #releaseToUnlimited(unlimited: readonly Candidate[]): void {
    for (let turn = 0; this.#line.size > 0; turn += 1) {
      const candidate = unlimited[turn % unlimited.length]
      if (candidate === undefined) return
      this.#release({ candidate, slot: undefined })
    }
  }
}

function endOf(error: unknown): 'timeout' | 'client_gone' | 'refused' {
  const { code } = GatewayError.from(error)
  if (code === 'client_closed') return 'client_gone'
  return code === 'overloaded' ? 'timeout' : 'refused'
}
