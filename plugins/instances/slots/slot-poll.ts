import { backoffDelayMs, neverReached, type Clock, type Random } from '#core'
import type { Candidate } from '../placement/candidate.ts'
import type { SlotsClient, SlotWish } from './slots-client.ts'

/** What a poll works with. */
export interface SlotPollDeps {
  readonly slots: SlotsClient
  readonly clock: Clock
  readonly random: Random
}

/** Whom a poll asks for, and what becomes of its answers. Generations are those of `Health`, in which the question began. */
export interface SlotPollListener {
  /**
   * What to ask this instance for; undefined when it is asked no more, which ends the poll.
   * @param wasInVain whether the last question brought nothing
   */
  next(candidate: Candidate, wasInVain: boolean): SlotWish | undefined
  granted(candidate: Candidate, slots: readonly string[], generation: number): void
  /** The instance will have none any more, which ends the poll. */
  leaving(candidate: Candidate, generation: number): void
  /** The instance never accepted the question. */
  refused(candidate: Candidate, generation: number): void
  /** The question was cut, or not understood. */
  failed(candidate: Candidate, generation: number): void
  /** Some time after that. */
  paused(candidate: Candidate): void
  /** The question was withdrawn before it was answered. */
  withdrawn(candidate: Candidate, generation: number): void
}

/** Pauses after questions that were not answered. */
const failureBackoff = { firstMs: 100, maxMs: 1000, factor: 2, jitterRatio: 0.5 }

/** Asks one instance for slots, over and over, until it is stopped, or its listener wants no more. */
export class SlotPoll {
  readonly #deps: SlotPollDeps
  readonly #candidate: Candidate
  readonly #listener: SlotPollListener
  readonly #stop = new AbortController()

  constructor(deps: SlotPollDeps, candidate: Candidate, listener: SlotPollListener) {
    this.#deps = deps
    this.#candidate = candidate
    this.#listener = listener
    void this.#run(this.#stop.signal)
  }

  /** Withdraws the question. What is answered nevertheless is still handed over. */
  stop(): void {
    this.#stop.abort(new Error('nobody waits for a slot any more'))
  }

  /** Never rejects. */
  async #run(signal: AbortSignal): Promise<void> {
    let failures = 0
    let wasInVain = false
    while (!signal.aborted) {
      const wish = this.#listener.next(this.#candidate, wasInVain)
      if (wish === undefined) return
      const generation = this.#candidate.health.begin()
      try {
        const slots = await this.#deps.slots.ask(this.#candidate.instance, wish, signal)
        if (slots === 'leaving') {
          this.#leave(generation)
          return
        }
        this.#listener.granted(this.#candidate, slots, generation)
        wasInVain = slots.length === 0
        failures = 0
      } catch (error) {
        if (signal.aborted) {
          this.#listener.withdrawn(this.#candidate, generation)
          return
        }
        wasInVain = true
        failures += 1
        this.#tell(error, generation)
        await this.#pause(failures, signal)
      }
    }
  }

  #leave(generation: number): void {
    if (this.#stop.signal.aborted) this.#listener.withdrawn(this.#candidate, generation)
    else this.#listener.leaving(this.#candidate, generation)
  }

  #tell(error: unknown, generation: number): void {
    if (neverReached(error)) this.#listener.refused(this.#candidate, generation)
    else this.#listener.failed(this.#candidate, generation)
  }

  async #pause(failures: number, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps
    try {
      await clock.sleep(backoffDelayMs(failureBackoff, failures, random), signal)
      this.#listener.paused(this.#candidate)
    } catch {
      // Stopped.
    }
  }
}
