import type { FunctionIdentity } from '../provider/function-identity.ts'

/**
 * What a gateway knows of one function.
 * - `ready`: takes traffic now
 * - `waking`: wanted, not yet ready
 * - `zero`: no replica wanted
 * - `failed`: could not be started; callers are refused until `retryAtMs`
 * - `absent`: the provider does not know it
 */
export type FunctionPhase = 'ready' | 'waking' | 'zero' | 'failed' | 'absent'

/** One observation of a function. Immutable; a newer one replaces it. */
export interface FunctionState {
  readonly identity: FunctionIdentity
  readonly phase: FunctionPhase
  /** Desired replicas. */
  readonly desired: number
  /** Replicas that can take traffic. */
  readonly available: number
  /** Fewest and most replicas by label `com.openfaas.scale.min` and `.max`. */
  readonly min: number
  readonly max: number
  /** Fencing token of the writer, 0 for an observation without a lease. */
  readonly fence: number
  /** Wall clock, milliseconds since the Unix epoch; 0 for a `failed` function that nobody has observed: it may not exist. */
  readonly observedAtMs: number
  /** For `failed`: why, safe to show a client. For `waking`: what the provider says keeps it from starting. Otherwise empty. */
  readonly reason: string
  /** For `failed` and `absent`: wall clock from which another try is allowed; 0 otherwise. */
  readonly retryAtMs: number
  /** For `failed`: how often it failed in a row; 0 otherwise. */
  readonly failures: number
  readonly labels: Readonly<Record<string, string>>
  readonly annotations: Readonly<Record<string, string>>
}

/**
 * What is known of a function once somebody has seen it take traffic: all that was known before, without failures, and with
 * `available` replicas (at least one).
 */
export function readyState(
  identity: FunctionIdentity,
  known: FunctionState | undefined,
  seen: { readonly available: number; readonly observedAtMs: number },
): FunctionState {
  const available = Math.max(1, seen.available)
  const base = known ?? { ...nothingKnown(identity), max: available }
  return {
    ...base,
    phase: 'ready',
    desired: Math.max(base.desired, available),
    available,
    observedAtMs: seen.observedAtMs,
    reason: '',
    retryAtMs: 0,
    failures: 0,
  }
}

/** What is known of a function that nobody has observed; `failed`, because a function nobody asked about has no state. */
export function nothingKnown(identity: FunctionIdentity): FunctionState {
  return {
    identity,
    phase: 'failed',
    desired: 0,
    available: 0,
    min: 1,
    max: 1,
    fence: 0,
    observedAtMs: 0,
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: {},
    annotations: {},
  }
}

/** Whether a state is of a function that certainly exists: neither absent nor failed before anybody observed it. */
export function isConfirmed({ phase, observedAtMs }: FunctionState): boolean {
  return phase !== 'absent' && (phase !== 'failed' || observedAtMs > 0)
}
