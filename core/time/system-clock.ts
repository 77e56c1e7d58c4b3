import type { Clock } from './clock.ts'

/** The clocks of the machine, in milliseconds. */
export interface MachineClocks {
  /** Since the Unix epoch, coarse; jumps when somebody sets it. */
  wallMs(): number
  /** Fine; stands still while the machine is suspended. */
  monotonicMs(): number
}

const machineClocks: MachineClocks = { wallMs: () => Date.now(), monotonicMs: () => performance.now() }

/** How far the fine reading may stray from the wall clock before it follows. */
const mostStrayMs = 1000

/** The platform's own time. The only place that calls `setTimeout`. */
export class SystemClock implements Clock {
  readonly #clocks: MachineClocks
  #originMs: number

  constructor(clocks: MachineClocks = machineClocks) {
    this.#clocks = clocks
    this.#originMs = clocks.wallMs() - clocks.monotonicMs()
  }

  nowMs(): number {
    const monotonicMs = this.#clocks.monotonicMs()
    const strayMs = this.#clocks.wallMs() - this.#originMs - monotonicMs
    if (Math.abs(strayMs) > mostStrayMs) this.#originMs += strayMs
    return this.#originMs + monotonicMs
  }

  monotonicMs(): number {
    return this.#clocks.monotonicMs()
  }

  after(delayMs: number, callback: () => void): Disposable {
    return new Timer(setTimeout(callback, delayMs).unref())
  }

  sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) {
        reject(signal.reason)
        return
      }
      const onAbort = (): void => {
        clearTimeout(timer)
        reject(signal?.reason)
      }
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', onAbort)
        resolve()
      }, delayMs)
      signal?.addEventListener('abort', onAbort, { once: true })
    })
  }
}

class Timer implements Disposable {
  readonly #timer: NodeJS.Timeout

  constructor(timer: NodeJS.Timeout) {
    this.#timer = timer
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }
}
