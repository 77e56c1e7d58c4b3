/**
 * Closes what was opened, last opened first, all of it even when one fails. Safe to call more than once: every entry runs
 * at most once.
 */
export class Teardown implements AsyncDisposable {
  readonly #entries: { readonly name: string; readonly close: () => unknown }[] = []

  /** Adds something to close; `name` appears in the error when closing it fails. */
  defer(name: string, close: () => unknown): void {
    this.#entries.push({ name, close })
  }

  /** @throws AggregateError with every failure, named in its message, after all entries ran */
  async [Symbol.asyncDispose](): Promise<void> {
    const failures: Error[] = []
    for (let entry = this.#entries.pop(); entry !== undefined; entry = this.#entries.pop()) {
      try {
        await entry.close()
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error)
        failures.push(new Error(`closing ${entry.name} failed: ${text}`, { cause: error }))
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, failures.map(({ message }) => message).join('; '))
  }
}

/** Whether a value knows how to close itself. */
export function closerOf(value: unknown): (() => unknown) | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Symbol.asyncDispose in value) return () => (value as AsyncDisposable)[Symbol.asyncDispose]()
  if (Symbol.dispose in value) return () => (value as Disposable)[Symbol.dispose]()
  return undefined
}
