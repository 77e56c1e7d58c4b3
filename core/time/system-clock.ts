import type { Clock } from './clock.ts'

/** The platform's own time. The only place that calls `setTimeout`. */
export class SystemClock implements Clock {
  nowMs(): number {
    return performance.timeOrigin + performance.now()
  }

  monotonicMs(): number {
    return performance.now()
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
