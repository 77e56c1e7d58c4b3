/** Who wants connections. */
export interface BudgetUser {
  /** There is room again, which it may take. */
  onRoom(): void
}

/**
 * Bounds the connections to all origins together. Where there is no room left, the connection that has been idle for longest
 * is closed; where none is idle, users wait in the order they asked.
 */
export class ConnectionBudget {
  readonly #closeOldestIdle: () => void
  readonly #waiting = new Set<BudgetUser>()
  #room: number

  /** @param closeOldestIdle closes one idle connection, if there is one, so that its room is given back before it returns */
  constructor(maxConnections: number, closeOldestIdle: () => void) {
    this.#room = maxConnections
    this.#closeOldestIdle = closeOldestIdle
  }

  /** Takes room for one connection; false when there is none: `onRoom` follows once there is. */
  take(user: BudgetUser): boolean {
    if (this.#room === 0) this.#closeOldestIdle()
    if (this.#room === 0) {
      this.#waiting.add(user)
      return false
    }
    this.#room -= 1
    return true
  }

  /** Gives room for one connection back. */
  give(): void {
    this.#room += 1
    for (const user of this.#waiting) {
      if (this.#room === 0) return
      this.#waiting.delete(user)
      user.onRoom()
    }
  }

  /** A connection became idle: it makes room for a user that waits. */
  idled(): void {
    if (this.#waiting.size > 0) this.#closeOldestIdle()
  }
}
