import type { FunctionState } from '#core'

/** How long a function that is being woken may still be listed at zero: providers answer lists from a cache that lags. */
const wakingGraceMs = 10_000

/** An observation that is newer than a listing by more than any listing lasts was stamped before the wall clock jumped back. */
const clockJumpMs = 60_000

/** What a listing says of one function. */
export interface ListedFunction {
  /** Made from the listed status; `observedAtMs` is when the listing was asked for. */
  readonly listed: FunctionState
  /** Whether image or creation differ from the listing before. */
  readonly redeployed: boolean
}

/**
 * Joins a listing's view of a function with what the directory holds, or returns undefined when the latter stands.
 *
 * - What was observed after the listing was asked for is newer: it stands.
 * - `ready` stays so while replicas are wanted: lists of some providers leave the available ones out.
 * - `failed` keeps its reason and its count of failures until a replica is available or the function was deployed anew.
 *   After `retryAtMs` it lets a caller try, so keeping it refuses nobody; forgetting it would start the back-off over. A failure
 *   without any observation (`observedAtMs` 0) was the provider's, which answers again: it ends.
 * - `waking` is not taken for `zero` at once.
 */
export function mergeListing(
  previous: FunctionState | undefined,
  { listed, redeployed }: ListedFunction,
): FunctionState | undefined {
  if (previous === undefined) return listed
  if (isNewer(previous, listed.observedAtMs)) return undefined
  switch (previous.phase) {
    case 'ready':
      return mergeReady(previous, listed)
    case 'failed':
      return redeployed || previous.observedAtMs === 0 ? listed : mergeFailed(previous, listed)
    case 'waking':
      return mergeWaking(previous, listed)
    case 'zero':
    case 'absent':
      return listed
  }
}

function mergeReady(previous: FunctionState, listed: FunctionState): FunctionState {
  if (listed.phase !== 'waking') return listed
  return { ...listed, phase: 'ready', available: Math.max(1, Math.min(previous.available, listed.desired)) }
}

function mergeFailed({ reason, retryAtMs, failures }: FunctionState, listed: FunctionState): FunctionState {
  return listed.phase === 'ready' ? listed : { ...listed, phase: 'failed', reason, retryAtMs, failures }
}

function mergeWaking(previous: FunctionState, listed: FunctionState): FunctionState | undefined {
  const isRecent = listed.observedAtMs - previous.observedAtMs < wakingGraceMs
  return listed.phase === 'zero' && isRecent ? undefined : listed
}

/** Whether an observation is later than a listing that was asked for at `listedAtMs`. */
export function isNewer(state: FunctionState, listedAtMs: number): boolean {
  return state.observedAtMs > listedAtMs && state.observedAtMs - listedAtMs < clockJumpMs
}
