import { token } from '../container/token.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'

/**
 * For whoever knows that a function takes traffic before the provider is asked: a sidecar, an event of the provider, the
 * provider itself.
 */
export interface ReadinessAnnouncer {
  /**
   * Releases the calls that any gateway holds for this function, and ends its back-off after failures. An announcement that
   * was wrong costs the calls a second way round the wake path.
   *
   * @throws GatewayError `overloaded` when the function's state changes too fast; worth a repeat
   * @param available replicas that take traffic now, 1 or more
   */
  announceReady(identity: FunctionIdentity, available?: number): Promise<void>
}

/** Token of the {@link ReadinessAnnouncer}. */
export const ReadinessAnnouncer = token<ReadinessAnnouncer>('ReadinessAnnouncer')
