import { token } from '../container/token.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'

/** Time-bounded leadership over the waking of one function. */
export interface Lease {
  readonly identity: FunctionIdentity
  /** Grows with every lease of a function; a holder with a lower one is refused. */
  readonly fence: number
}

/** The answer to an attempt to lead. */
export type Acquired = { readonly role: 'leader'; readonly lease: Lease } | { readonly role: 'follower' }

/**
 * Decides which gateway wakes a function, and carries what it finds to all of them. One implementation lives in the
 * process, another one in Redis; one contract suite runs against both.
 *
 * Invariant: at most one unexpired lease per function; fences strictly increase.
 * Order: acquire -> (renew | publish)* -> release.
 */
export interface Coordinator extends AsyncDisposable {
  /** Tries to lead the waking of a function. */
  acquire(identity: FunctionIdentity): Promise<Acquired>
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
