/** Things that happen once, awaited by their names. */
export class Signals {
  readonly #waiting = new Map<string, (() => void)[]>()

  /** Resolves when it happens next. */
  wait(name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.set(name, [...(this.#waiting.get(name) ?? []), resolve])
    })
  }

  /** It happens now. */
  give(name: string): void {
    const waiting = this.#waiting.get(name) ?? []
    this.#waiting.delete(name)
    for (const go of waiting) go()
  }
}
