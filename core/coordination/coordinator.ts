import { token } from '../container/token.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'

/** Time-bounded leadership over the waking of one function. */
export interface Lease {
  readonly identity: FunctionIdentity
  /** Grows with every lease of a function, microseconds of the Unix epoch at least; a holder with a lower one is refused. */
  readonly fence: number
}

/** The answer to an attempt to lead. */
export type Acquired =
  | { readonly role: 'leader'; readonly lease: Lease }
  | {
      readonly role: 'follower'
      /**
       * Resolves when it is worth trying again: the lease was given up or must have expired, or coordination itself changed.
       * @throws the signal's reason when it aborts first
       */
      readonly again: (signal: AbortSignal) => Promise<void>
    }

/**
 * Decides which gateway wakes a function, and carries what it finds to all of them. One implementation lives in the
 * process, another one spans a fleet; one contract suite runs against both.
 *
 * Invariant: at most one unexpired lease per function; fences strictly increase.
 * Order: acquire -> (renew | publish)* -> release.
 */
export interface Coordinator {
  /** How often a holder must renew its lease, in milliseconds; Infinity when leases do not expire. */
  readonly renewEveryMs: number
  /**
   * Tries to lead the waking of a function. What this gateway has missed of the function is in its directory when this
   * resolves; a caller that finds it ready, absent or failed there follows.
   *
   * @param aboveFence a fence that the new one must exceed, because the provider has seen it
   */
  acquire(identity: FunctionIdentity, aboveFence?: number): Promise<Acquired>
  /** Prolongs a lease; false when it was lost. Never throws. */
  renew(lease: Lease): Promise<boolean>
  /**
   * Announces a state to every gateway, this one included.
   * @returns false when a newer fence refused it
   */
  publish(state: FunctionState): Promise<boolean>
  /** Gives the lease up. Never throws. */
  release(lease: Lease): Promise<void>
}

/** Token of the {@link Coordinator}. */
export const Coordinator = token<Coordinator>('Coordinator')
