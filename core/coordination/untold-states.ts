import type { FunctionIdentity } from '../provider/function-identity.ts'

/** Identifies one reason to tell: another one may have come up while the first was being told. */
export interface Untold {
  readonly identity: FunctionIdentity
}

/** Functions whose state, or whose end, the store has yet to be told. */
export class UntoldStates {
  readonly #untold = new Map<string, Untold>()

  get size(): number {
    return this.#untold.size
  }

  /** All of them, as they are now. */
  all(): readonly Untold[] {
    return [...this.#untold.values()]
  }

  get(key: string): Untold | undefined {
    return this.#untold.get(key)
  }

  add(identity: FunctionIdentity): void {
    this.#untold.set(identity.key, { identity })
  }

  /** Notes that a function needs no telling; false when something new has come up since `told` was seen. */
  settle(key: string, told: Untold | undefined): boolean {
    if (this.#untold.get(key) !== told) return false
    this.#untold.delete(key)
    return true
  }
}
