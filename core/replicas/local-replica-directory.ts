import { LRUCache } from 'lru-cache'
import type { Clock } from '../time/clock.ts'
import { isConfirmed, type FunctionState } from './function-state.ts'
import type { ReplicaDirectory, StateListener } from './replica-directory.ts'

/** Most names remembered without knowing that they exist; a flood of names pushes the oldest out. */
const maxUnconfirmed = 10_000
/** What was observed further in the future than gateways' clocks differ was stamped before the wall clock jumped back. */
const clockJumpMs = 60_000

/** The directory as a map in this process. */
export class LocalReplicaDirectory implements ReplicaDirectory {
  readonly #clock: Clock
  readonly #known = new Map<string, FunctionState>()
  /** Absent functions, and those that failed before anybody observed them: whether they exist, nobody knows. */
  readonly #unconfirmed = new LRUCache<string, FunctionState>({ max: maxUnconfirmed })
  readonly #listeners = new Set<StateListener>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  get(key: string): FunctionState | undefined {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const unconfirmed = this.#unconfirmed.get(key)
    if (unconfirmed?.phase !== 'absent' || this.#isFresh(unconfirmed)) return unconfirmed
    this.#unconfirmed.delete(key)
    return undefined
  }

  apply(state: FunctionState): void {
    const { key } = state.identity
    const previous = this.get(key)
    const held = state.fence === 0 && previous !== undefined ? { ...state, fence: previous.fence } : state
    if (this.#isKnown(held)) {
      this.#unconfirmed.delete(key)
      this.#known.set(key, held)
    } else {
      this.#known.delete(key)
      this.#unconfirmed.set(key, held)
    }
    for (const listener of this.#listeners) {
      try {
        listener(held, previous)
      } catch (error) {
        // A fault of one listener must not keep the others, nor whoever observed the function.
        process.emitWarning(`a listener for states of functions failed: ${String(error)}`)
      }
    }
  }

  remove(key: string): void {
    this.#known.delete(key)
    this.#unconfirmed.delete(key)
  }

  known(): Iterable<FunctionState> {
    return this.#known.values()
  }

  knows(key: string): boolean {
    return this.#known.has(key)
  }

  subscribe(listener: StateListener): Disposable {
    this.#listeners.add(listener)
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) }
  }

  /** A function that is known already stays so when it fails, whoever observed that. */
  #isKnown(state: FunctionState): boolean {
    return isConfirmed(state) || (state.phase === 'failed' && this.#known.has(state.identity.key))
  }

  #isFresh({ observedAtMs, retryAtMs }: FunctionState): boolean {
    const nowMs = this.#clock.nowMs()
    return nowMs < retryAtMs && nowMs > observedAtMs - clockJumpMs
  }
}
