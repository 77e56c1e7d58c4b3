import { token } from '../container/token.ts'
import type { FunctionIdentity } from './function-identity.ts'
import type { FunctionStatus } from './function-status.ts'

/** Details of one scale call. */
export interface ScaleOptions {
  readonly signal?: AbortSignal
  /** Fencing token of the lease under which the caller writes; a provider that knows it refuses older ones. */
  readonly fence?: number
}

/** Asks for and sets the replicas of one function. Any platform is a plugin that provides this token. */
export interface ServiceQuery {
  /**
   * Returns the status of a function, or `undefined` when the provider says that there is no such function.
   * @throws GatewayError `provider_unavailable` when no usable answer came in time
   */
  status(target: FunctionIdentity, signal?: AbortSignal): Promise<FunctionStatus | undefined>
  /**
   * Asks for `replicas` replicas. Resolves when the provider accepted the wish, not when they run.
   * @throws GatewayError `provider_unavailable` (no usable answer), `function_not_found`, `lease_lost` when the provider has seen
   *   a larger fence, which is in `details.fence`, or `no_ready_replica` when it refuses for good; with the provider's status in
   *   `details.providerStatus`
   */
  scale(target: FunctionIdentity, replicas: number, options?: ScaleOptions): Promise<void>
}

/** Token of the {@link ServiceQuery}. */
export const ServiceQuery = token<ServiceQuery>('ServiceQuery')
