import { LRUCache } from 'lru-cache'
import type { Clock } from '../time/clock.ts'
import type { FunctionState } from './function-state.ts'
import type { ReplicaDirectory, StateListener } from './replica-directory.ts'

/** Most unknown names remembered; a flood of names pushes the oldest out. */
const maxAbsent = 10_000

/** The directory as a map in this process. */
export class LocalReplicaDirectory implements ReplicaDirectory {
  readonly #clock: Clock
  readonly #known = new Map<string, FunctionState>()
  readonly #absent = new LRUCache<string, FunctionState>({ max: maxAbsent })
  readonly #listeners = new Set<StateListener>()

  constructor(deps: { clock: Clock }) {
    this.#clock = deps.clock
  }

  get(key: string): FunctionState | undefined {
    const known = this.#known.get(key)
    if (known !== undefined) return known
    const absent = this.#absent.get(key)
    if (absent === undefined || absent.retryAtMs > this.#clock.nowMs()) return absent
    this.#absent.delete(key)
    return undefined
  }

  apply(state: FunctionState): boolean {
    const { key } = state.identity
    const previous = this.get(key)
    if (previous !== undefined && state.fence !== 0 && state.fence < previous.fence) return false
    if (state.phase === 'absent') {
      this.#known.delete(key)
      this.#absent.set(key, state)
    } else {
      this.#absent.delete(key)
      this.#known.set(key, state.fence === 0 && previous !== undefined ? { ...state, fence: previous.fence } : state)
    }
    for (const listener of this.#listeners) listener(state, previous)
    return true
  }

  remove(key: string): void {
    this.#known.delete(key)
    this.#absent.delete(key)
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
}
