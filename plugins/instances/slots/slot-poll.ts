import { backoffDelayMs, neverReached, type Clock, type Random } from '#core'
import type { Candidate } from '../placement/candidate.ts'
import type { SlotsClient } from './slots-client.ts'

/** What a poll works with. */
export interface SlotPollDeps {
  readonly slots: SlotsClient
  readonly clock: Clock
  readonly random: Random
}

/** Whom a poll asks for, and what becomes of its answers. */
export interface SlotPollListener {
  /** Whether anybody waits. */
  readonly isWanted: boolean
  /** How many slots to ask this instance for: at least 1. */
  want(candidate: Candidate): number
  granted(candidate: Candidate, slots: readonly string[]): void
  leaving(candidate: Candidate): void
  /** The instance never accepted the question. */
  refused(candidate: Candidate): void
  /** The question was cut, or not understood. */
  failed(candidate: Candidate): void
  /** Some time after that. */
  paused(candidate: Candidate): void
  /** Nobody waits, and it has no question open: it asks no more. */
  ended(candidate: Candidate): void
}

/** How long a sidecar may keep a question. */
const waitMs = 10_000
/** Pauses after questions that were not answered. */
const failureBackoff = { firstMs: 100, maxMs: 1000, factor: 2, jitterRatio: 0.5 }

/** Asks one instance for slots, over and over, until it is stopped, or is answered when nobody waits any more. */
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
    while (!signal.aborted) {
      if (!this.#listener.isWanted) {
        this.#listener.ended(this.#candidate)
        return
      }
      try {
        await this.#ask(signal)
        failures = 0
      } catch (error) {
        if (signal.aborted) {
          this.#candidate.health.end()
          return
        }
        failures += 1
        this.#tell(error)
        await this.#pause(failures, signal)
      }
    }
  }

  async #ask(signal: AbortSignal): Promise<void> {
    this.#candidate.health.begin()
    const wish = { want: this.#listener.want(this.#candidate), waitMs }
    const slots = await this.#deps.slots.ask(this.#candidate.instance, wish, signal)
    if (slots === 'leaving') this.#listener.leaving(this.#candidate)
    else this.#listener.granted(this.#candidate, slots)
  }

  #tell(error: unknown): void {
    if (neverReached(error)) this.#listener.refused(this.#candidate)
    else this.#listener.failed(this.#candidate)
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
