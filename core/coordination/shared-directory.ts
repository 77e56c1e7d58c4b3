import { token } from '../container/token.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import type { FunctionState } from '../replicas/function-state.ts'

/**
 * Writes to the replica directories of all gateways what is learnt outside a wake. Reading is the local
 * {@link ReplicaDirectory}'s part and costs no I/O.
 */
export interface SharedDirectory {
  /**
   * Takes an observation over, made from what this gateway's directory holds now. Other gateways are told when it says something
   * else than they know already; an observation that another gateway has overtaken is dropped. Its fence counts for nothing.
   */
  observe(state: FunctionState): Promise<void>
  /** Has all gateways forget a function: it is gone, or what was known of it no longer holds. */
  forget(identity: FunctionIdentity): Promise<void>
}

/** Token of the {@link SharedDirectory}. */
export const SharedDirectory = token<SharedDirectory>('SharedDirectory')
