import { GatewayError, holdTimeoutMs, Waiter, type Exchange, type HeldBudget, type ReplicaDirectory } from '#core'
import type { InstanceMetrics } from '../instance-metrics.ts'
import type { Candidate } from '../placement/candidate.ts'
import type { FunctionPool } from '../placement/function-pool.ts'
import { clientLeft, draining, noSlotInTime } from '../refusals.ts'
import { CallLine, type GrantedSlot, type WaitingCall } from './call-line.ts'
import { SlotPoll, type SlotPollDeps, type SlotPollListener } from './slot-poll.ts'

/** What waiting for slots works with. */
export interface SlotQueueDeps extends SlotPollDeps {
  readonly replicas: ReplicaDirectory
  readonly metrics: InstanceMetrics
  readonly budget: HeldBudget
  /** How long calls wait unless their function says otherwise, in milliseconds. */
  readonly holdTimeoutMs: number
}

/** How long questions stay open that nobody waits for any more. */
const lingerMs = 25

/**
 * Calls of one function that wait because its instances are full, first come, first served. While any wait, each usable instance is
 * asked for slots; a slot releases the call that has waited longest, and one that comes too late is given back.
 */
export class SlotQueue implements SlotPollListener {
  readonly #deps: SlotQueueDeps
  readonly #pool: FunctionPool
  readonly #line = new CallLine()
  readonly #polls = new Map<Candidate, SlotPoll>()
  /** Instances that are asked. */
  #asked = 0
  #isReactionDue = false
  /** Rings when an ejected instance may be tried again. */
  #probation: Disposable | undefined
  /** Runs while questions are open that nobody waits for. */
  #lingering: Disposable | undefined
  #isClosed = false

  constructor(deps: SlotQueueDeps, pool: FunctionPool) {
    this.#deps = deps
    this.#pool = pool
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#line.size
  }

  /**
   * Resolves with a slot; with undefined when waiting cannot help any more, or no longer is necessary.
   * @throws GatewayError `queue_full`; `overloaded` when the time is over; `client_closed`; `draining`
   */
  async wait(exchange: Exchange): Promise<GrantedSlot | undefined> {
    const { clock, metrics } = this.#deps
    const fromMs = clock.monotonicMs()
    try {
      const call = this.#admit(exchange)
      await call.waiter.released
      metrics.waitEnded('released', clock.monotonicMs() - fromMs)
      return call.granted
    } catch (error) {
      metrics.waitEnded(endOf(error), clock.monotonicMs() - fromMs)
      throw error
    } finally {
      exchange.times.heldMs += clock.monotonicMs() - fromMs
    }
  }

  /** Something about the instances, or the calls, is not as it was: brings questions in line with it. */
  react(): void {
    this.#probation?.[Symbol.dispose]()
    this.#probation = undefined
    const worthAsking = this.#pool.ready.filter((one) => this.#isWorthAsking(one))
    const unlimited = worthAsking.filter(({ limit }) => limit === 0)
    if (worthAsking.length === 0 || unlimited.length > 0) this.#releaseAll(unlimited)
    for (const [candidate, poll] of this.#polls) if (!worthAsking.includes(candidate)) this.#stop(candidate, poll)
    if (this.#line.size === 0) this.#linger()
    else this.#askAll(worthAsking)
  }

  /** Refuses those that wait, and who comes later. */
  close(): void {
    this.#isClosed = true
    for (let call = this.#line.first; call !== undefined; call = this.#line.first) call.waiter.refuse(draining())
    this.#stopAll()
  }

  get isWanted(): boolean {
    return this.#line.size > 0
  }

  want({ limit }: Candidate): number {
    const share = Math.ceil(this.#line.size / Math.max(1, this.#asked))
    return Math.max(1, Math.min(share, limit))
  }

  granted(candidate: Candidate, slots: readonly string[]): void {
    candidate.health.succeeded()
    for (const slot of slots) {
      if (!this.#release({ candidate, slot })) this.#deps.slots.giveBack(candidate.instance, slot)
    }
  }

  ended(candidate: Candidate): void {
    this.#polls.delete(candidate)
  }

  leaving(candidate: Candidate): void {
    this.#pool.eject(candidate, 'draining')
  }

  refused(candidate: Candidate): void {
    this.#pool.eject(candidate, 'refused')
  }

  failed(candidate: Candidate): void {
    this.#pool.failed(candidate)
  }

  /** Where slots cannot be had, one call finds out whether there is room. */
  paused(candidate: Candidate): void {
    if (candidate.hasRoom) this.#release({ candidate, slot: undefined })
  }

  #admit({ route, request, times }: Exchange): WaitingCall {
    const { clock, budget, replicas } = this.#deps
    const { key } = route.identity
    if (request.gone) throw clientLeft()
    if (this.#isClosed) throw draining()
    const giveBack = budget.take(request, key, this.#line.size)
    const call: WaitingCall = {
      receivedMs: times.receivedMs,
      granted: undefined,
      waiter: new Waiter(clock, request, {
        timeoutMs: Math.max(0, holdTimeoutMs(replicas.get(key), this.#deps.holdTimeoutMs) - times.heldMs),
        timedOut: () => this.#timedOut(times.heldMs, call),
        onSettled: () => {
          giveBack()
          this.#line.remove(call)
          if (this.#line.size === 0) this.react()
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
    if (this.#isReactionDue) return
    this.#isReactionDue = true
    setImmediate(() => {
      this.#isReactionDue = false
      this.react()
    })
  }

  /** The question itself may be what an instance on probation is tried with. */
  #isWorthAsking(candidate: Candidate): boolean {
    const { admits, pauseMs } = candidate.health
    return admits || (pauseMs === 0 && this.#polls.has(candidate))
  }

  #release(granted: GrantedSlot | undefined): boolean {
    const call = this.#line.first
    if (call === undefined) return false
    call.granted = granted
    call.waiter.release()
    return true
  }

  /** Sends each call to one of these in turn; where there is none, each looks around by itself. */
  #releaseAll(unlimited: readonly Candidate[]): void {
    for (let turn = 0; this.#line.size > 0; turn += 1) {
      const candidate = unlimited[turn % unlimited.length]
      this.#release(candidate && { candidate, slot: undefined })
    }
  }

  #askAll(candidates: readonly Candidate[]): void {
    this.#lingering?.[Symbol.dispose]()
    this.#lingering = undefined
    this.#asked = candidates.length
    for (const candidate of candidates) {
      if (!this.#polls.has(candidate)) this.#polls.set(candidate, new SlotPoll(this.#deps, candidate, this))
    }
    const pauses = this.#pool.ready.map(({ health }) => health.pauseMs).filter((ms) => ms > 0)
    if (pauses.length > 0) this.#probation = this.#deps.clock.after(Math.min(...pauses), () => this.react())
  }

  /**
   * Nobody waits: the questions are withdrawn a little later. Where instances answer often, all are answered before that, and none is
   * withdrawn while its answer is on its way, which would cost a slot for as long as it is kept; and who waits next need not ask again.
   */
  #linger(): void {
    if (this.#polls.size === 0 || this.#lingering !== undefined) return
    this.#lingering = this.#deps.clock.after(lingerMs, () => this.#stopAll())
  }

  #stopAll(): void {
    this.#lingering?.[Symbol.dispose]()
    this.#lingering = undefined
    for (const [candidate, poll] of this.#polls) this.#stop(candidate, poll)
  }

  #stop(candidate: Candidate, poll: SlotPoll): void {
    this.#polls.delete(candidate)
    poll.stop()
  }
}

function endOf(error: unknown): 'timeout' | 'client_gone' | 'refused' {
  const { code } = GatewayError.from(error)
  if (code === 'client_closed') return 'client_gone'
  return code === 'overloaded' ? 'timeout' : 'refused'
}
