import type { buildConnector } from 'undici'

/**
 * Tells whether an upstream's connection is being reset right now. undici takes a reset for the regular end of a body that
 * ends with its connection, and tells so from within the socket's error event: what it reports as complete while
 * `isResetting` is not.
 */
export class ResetWatch {
  #resetting = false

  /** Whether a socket's error is being handled. */
  get isResetting(): boolean {
    return this.#resetting
  }

  /** Watches the connections that `connect` makes. */
  watched(connect: buildConnector.connector): buildConnector.connector {
    return (target, callback) => {
      connect(target, (...result) => {
        result[1]?.on('error', () => this.#note()) // before undici's own listener
        callback(...result)
      })
    }
  }

  #note(): void {
    this.#resetting = true
    queueMicrotask(() => {
      this.#resetting = false
    })
  }
}
