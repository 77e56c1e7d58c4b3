/** Counts the calls in a replica, and lets its end wait for theirs. */
export class Slots {
  readonly #max: number
  #taken = 0
  #onIdle: (() => void) | undefined

  /** @param max most at a time; 0 is no limit */
  constructor(max: number) {
    this.#max = max
  }

  /** Takes a slot; false when all are taken. */
  take(): boolean {
    if (this.#max > 0 && this.#taken >= this.#max) return false
    this.#taken += 1
    return true
  }

  release(): void {
    this.#taken -= 1
    if (this.#taken === 0) this.#onIdle?.()
  }

  /** Resolves when no slot is taken. For one caller at a time. */
  idle(): Promise<void> {
    if (this.#taken === 0) return Promise.resolve()
    return new Promise((resolve) => {
      this.#onIdle = resolve
    })
  }
}
