import type { FunctionStatus } from '#core'

/** Remembers what identified each function's deployment in the listing before. Bounded by the functions that exist. */
export class Deployments {
  readonly #marks = new Map<string, string>()

  /** Notes a listed function; true when it was listed before with another image or date of creation. */
  changed(key: string, status: FunctionStatus): boolean {
    const mark = `${status.image ?? ''} ${status.createdAt ?? ''}`
    const before = this.#marks.get(key)
    this.#marks.set(key, mark)
    return before !== undefined && before !== mark
  }

  /** Forgets a function. */
  forget(key: string): void {
    this.#marks.delete(key)
  }
}
