import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { WorkerProcess } from './worker-process.ts'

/** What a {@link CrewWatch} works with. */
export interface CrewWatchDeps {
  readonly serving: () => readonly Pick<WorkerProcess, 'number' | 'pid' | 'reasons' | 'silentMs' | 'excuse' | 'kill'>[]
  readonly clock: Clock
  readonly log: Logger
}

const lookEveryMs = 1_000
/** After so long without a heartbeat nobody counts on a worker. */
const doubtfulMs = 5_000
/** After so long its event loop will not come back: it is killed, and so replaced. */
const hungMs = 30_000

/** Knows which workers can be counted on, and ends those that hang. */
export class CrewWatch implements Disposable {
  readonly #deps: CrewWatchDeps
  #nextLook: Disposable

  constructor(deps: CrewWatchDeps) {
    this.#deps = deps
    this.#nextLook = this.#lookLater()
  }

  /** Why no worker wants traffic; empty when one does. */
  unready(): readonly string[] {
    const workers = this.#deps.serving()
    if (workers.length === 0) return ['no worker is running']
    const reasons = workers.map(({ number, silentMs, reasons: own }) =>
      silentMs > doubtfulMs ? [`worker ${number} does not answer`] : own,
    )
    return reasons.some((ofOne) => ofOne.length === 0) ? [] : [...new Set(reasons.flat())]
  }

  [Symbol.dispose](): void {
    this.#nextLook[Symbol.dispose]()
  }

  #lookLater(): Disposable {
    const { clock } = this.#deps
    const sinceMs = clock.monotonicMs()
    return clock.after(lookEveryMs, () => {
      this.#look(clock.monotonicMs() - sinceMs)
      this.#nextLook = this.#lookLater()
    })
  }

  #look(elapsedMs: number): void {
    const { serving, log } = this.#deps
    for (const worker of serving()) {
      // Where this process stood still, what the workers have said may not be read yet: nobody is hung for that.
      if (elapsedMs > doubtfulMs) worker.excuse()
      else if (worker.silentMs > hungMs) {
        log.error('a worker hangs and is killed', { worker: worker.number, pid: worker.pid })
        worker.kill()
      }
    }
  }
}
