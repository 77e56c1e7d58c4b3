import { token } from '../container/token.ts'
import type { FunctionState } from './function-state.ts'

/** Told of every change of a function's state, after the directory holds it. */
export type StateListener = (state: FunctionState, previous: FunctionState | undefined) => void

/**
 * What this gateway knows of all functions: the lookup of the warm path. Never does I/O.
 *
 * Memory is bounded: known functions are as many as the provider has; of `absent` ones, and of those that failed before
 * anybody observed them, a limited number is kept.
 */
export interface ReplicaDirectory {
  /** The last observation of a function by its key, or undefined. An `absent` state past its `retryAtMs` is forgotten. */
  get(key: string): FunctionState | undefined
  /**
   * Takes an observation over and tells the listeners; one without a fence keeps the fence that is held. Whether an observation
   * still counts is decided before, by the coordinator.
   */
  apply(state: FunctionState): void
  /** Forgets a function. */
  remove(key: string): void
  /** All functions that the provider is known to have. */
  known(): Iterable<FunctionState>
  /** Whether the provider is known to have this function: only such names may become metric labels. */
  knows(key: string): boolean
  subscribe(listener: StateListener): Disposable
}

/** Token of the {@link ReplicaDirectory}. */
export const ReplicaDirectory = token<ReplicaDirectory>('ReplicaDirectory')
