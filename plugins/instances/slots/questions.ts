import type { Candidate } from '../placement/candidate.ts'
import type { FunctionPool } from '../placement/function-pool.ts'
import { SlotPoll, type SlotPollDeps, type SlotPollListener } from './slot-poll.ts'
import type { SlotWish } from './slots-client.ts'

/** For whom is asked. */
export interface Asking {
  /** Calls that wait. */
  readonly size: number
  granted(candidate: Candidate, slots: readonly string[]): void
  /** An instance gives no slots: a call may find out whether there is room. */
  tryWithout(candidate: Candidate): void
}

/** How long questions stay open that nobody waits for any more. */
const lingerMs = 25
/** How long a sidecar may keep a question when all instances are asked. */
const patientMs = 10_000
/** When not all are: in this time each has been asked once. */
const sweepMs = 1_000
const leastWaitMs = 10
/** Asked besides two for each call that waits. */
const spareQuestions = 8

/**
 * Which instances are asked for slots while calls wait: two for each call and some more, from a random one on. Where there are more
 * instances, none is asked for long, and the next one takes the turn of each that had nothing: none is idle for longer than about a
 * second, and those where a call of this gateway ends are asked at once.
 */
export class Questions implements SlotPollListener {
  readonly #deps: SlotPollDeps
  readonly #pool: FunctionPool
  readonly #asking: Asking
  readonly #polls = new Map<Candidate, SlotPoll>()
  /** Instances that could be asked, as of the last look at all of them. */
  #usable = 0
  /** The one that was asked last, among the ready ones. */
  #at = -1
  /** Runs while questions are open that nobody waits for. */
  #lingering: Disposable | undefined

  constructor(deps: SlotPollDeps, pool: FunctionPool, asking: Asking) {
    this.#deps = deps
    this.#pool = pool
    this.#asking = asking
  }

  /** Looks at all instances, and asks none any more that is not usable. @returns those that are */
  look(): ReadonlySet<Candidate> {
    const usable = new Set<Candidate>()
    for (const one of this.#pool.ready) if (this.#isUsable(one)) usable.add(one)
    for (const [candidate, poll] of this.#polls) if (!usable.has(candidate)) this.#stop(candidate, poll)
    this.#usable = usable.size
    return usable
  }

  /** Asks as many more as the calls need that wait. */
  askMore(): void {
    this.#lingering?.[Symbol.dispose]()
    this.#lingering = undefined
    const most = this.#most
    const { ready } = this.#pool
    if (this.#polls.size === 0) this.#at = Math.floor(this.#deps.random() * ready.length) - 1
    for (let seen = 0; seen < ready.length && this.#polls.size < most; seen += 1) {
      this.#at = (this.#at + 1) % ready.length
      const candidate = ready[this.#at]
      if (candidate !== undefined) this.#start(candidate)
    }
  }

  /** A call of this gateway has ended there: no need to wait for its turn, unless very many end. */
  mayHaveRoom(candidate: Candidate): void {
    const { id, phase } = candidate.instance.record
    if (phase === 'ready' && this.#polls.size < 2 * this.#most && this.#pool.get(id) === candidate)
      this.#start(candidate)
  }

  /**
   * Nobody waits: the questions are withdrawn a little later. Where instances answer often, all are answered before that, and none is
   * withdrawn while its answer is on its way, which would cost a slot for as long as it is kept; and who waits next need not ask again.
   */
  linger(): void {
    if (this.#polls.size === 0 || this.#lingering !== undefined) return
    this.#lingering = this.#deps.clock.after(lingerMs, () => this.stopAll())
  }

  /** Withdraws all questions. */
  stopAll(): void {
    this.#lingering?.[Symbol.dispose]()
    this.#lingering = undefined
    for (const [candidate, poll] of this.#polls) this.#stop(candidate, poll)
  }

  next(candidate: Candidate, wasInVain: boolean): SlotWish | undefined {
    const most = this.#most
    const waiting = this.#asking.size
    const isTurnOver = wasInVain && most < this.#usable
    if (waiting > 0 && this.#polls.size <= most && !isTurnOver) {
      const share = Math.ceil(waiting / Math.max(1, most))
      return { want: Math.max(1, Math.min(share, candidate.limit)), waitMs: this.#waitMs }
    }
    this.#polls.delete(candidate)
    if (waiting > 0) this.askMore()
    return undefined
  }

  granted(candidate: Candidate, slots: readonly string[], generation: number): void {
    this.#pool.succeeded(candidate, generation)
    this.#asking.granted(candidate, slots)
  }

  leaving(candidate: Candidate, generation: number): void {
    this.#polls.delete(candidate)
    this.#pool.eject(candidate, 'draining', generation)
    if (this.#asking.size > 0) this.askMore()
  }

  refused(candidate: Candidate, generation: number): void {
    this.#pool.eject(candidate, 'refused', generation)
  }

  failed(candidate: Candidate, generation: number): void {
    this.#pool.failed(candidate, generation)
  }

  paused(candidate: Candidate): void {
    if (candidate.hasRoom) this.#asking.tryWithout(candidate)
  }

  withdrawn(candidate: Candidate, generation: number): void {
    this.#pool.ended(candidate, generation)
  }

  /** Most instances that are asked at a time. */
  get #most(): number {
    return Math.min(this.#usable, 2 * this.#asking.size + spareQuestions)
  }

  get #waitMs(): number {
    const most = this.#most
    return most < this.#usable ? Math.max(leastWaitMs, Math.round((sweepMs * most) / this.#usable)) : patientMs
  }

  /** The question itself may be what an instance on probation is tried with. */
  #isUsable(candidate: Candidate): boolean {
    const { admits, pauseMs } = candidate.health
    return admits || (pauseMs === 0 && this.#polls.has(candidate))
  }

  #start(candidate: Candidate): void {
    if (this.#polls.has(candidate) || candidate.limit === 0 || !candidate.health.admits) return
    this.#polls.set(candidate, new SlotPoll(this.#deps, candidate, this))
  }

  #stop(candidate: Candidate, poll: SlotPoll): void {
    this.#polls.delete(candidate)
    poll.stop()
  }
}
