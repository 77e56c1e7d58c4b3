import type { Logger } from '../telemetry/logger.ts'
import { backoffDelayMs, type Backoff } from '../time/backoff.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What a slot knows of the worker in it. */
export type Occupant = Pick<WorkerProcess, 'number' | 'pid' | 'ended'>

/** What a {@link WorkerSlot} works with. */
export interface WorkerSlotDeps<Worker extends Occupant> {
  /** Starts a process and resolves when it serves. @throws Error when it does not come to that; the process is gone then */
  readonly launch: () => Promise<Worker>
  /** Lets a worker finish what is under way, and ends it. Never rejects. */
  readonly retire: (worker: Worker) => Promise<void>
  /** Told of a worker that ended although nobody wanted it to. */
  readonly onLost: (worker: Worker) => void
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** Pauses before a worker that does not live is started again. */
const restartBackoff: Backoff = { firstMs: 100, maxMs: 10_000, factor: 2, jitterRatio: 0.2 }
/** A worker that has served for this long was no failed start: the next one is started at once. */
const provenMs = 10_000

/** Keeps one worker serving: one that ends by itself is replaced. */
export class WorkerSlot<Worker extends Occupant> {
  readonly #deps: WorkerSlotDeps<Worker>
  readonly #stopping = new AbortController()
  #current: Worker | undefined
  /** Starts in a row that came to nothing, short lives included. */
  #failures = 0

  constructor(deps: WorkerSlotDeps<Worker>) {
    this.#deps = deps
  }

  /** The worker that serves, if there is one. */
  get current(): Worker | undefined {
    return this.#current
  }

  /** Starts the first worker. @throws Error when it cannot serve */
  async fill(): Promise<void> {
    this.#occupy(await this.#deps.launch())
  }

  /** Goes on trying until a worker serves, or the slot is stopped. Never rejects. */
  async refill(): Promise<void> {
    const { clock, random, log } = this.#deps
    const { signal } = this.#stopping
    while (!signal.aborted && this.#current === undefined) {
      try {
        if (this.#failures > 0) await clock.sleep(backoffDelayMs(restartBackoff, this.#failures, random), signal)
        if (this.#current !== undefined) return
        const worker = await this.#deps.launch()
        if (this.#current === undefined) this.#occupy(worker)
        else void this.#deps.retire(worker) // a roll was faster, and its worker is newer
      } catch (err) {
        if (signal.aborted) return
        this.#failures += 1
        log.error('a worker could not be started', { err, failures: this.#failures })
      }
    }
  }

  /**
   * Puts a new worker in the place of the current one, which finishes what is under way beside it.
   * @throws Error when the new one cannot serve; the old one goes on then
   */
  async roll(): Promise<void> {
    this.#occupy(await this.#deps.launch())
  }

  /** From here on nobody is replaced. */
  stop(): void {
    this.#stopping.abort(new Error('the workers are being stopped'))
  }

  #occupy(worker: Worker): void {
    const previous = this.#current
    const sinceMs = this.#deps.clock.monotonicMs()
    this.#current = worker
    if (previous !== undefined) void this.#deps.retire(previous)
    void worker.ended.then((end) => {
      if (this.#current !== worker) return
      this.#current = undefined
      if (this.#stopping.signal.aborted) return
      const livedMs = this.#deps.clock.monotonicMs() - sinceMs
      this.#failures = livedMs < provenMs ? this.#failures + 1 : 0
      this.#deps.log.error('a worker has died and is replaced', { worker: worker.number, pid: worker.pid, ...end })
      this.#deps.onLost(worker)
      void this.refill()
    })
  }
}
