import { token } from '../container/token.ts'
import type { HttpClientResponse } from '../http/http-client.ts'
import type { FunctionStatus } from './function-status.ts'

/** One call of the provider's management API. */
export interface ProviderCall {
  readonly method: string
  /** Path and query below the provider's base URL, without a leading slash: `system/functions?namespace=x`. */
  readonly target: string
  /** Extra headers, lower-case names. `authorization` is always the gateway's own unless `keepAuthorization` is set. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** Milliseconds until the answer's head must be there; 0 waits for ever. Default: the provider client's option. */
  readonly timeoutMs?: number
  /** Passes the `authorization` header given here instead of the gateway's own. */
  readonly keepAuthorization?: boolean
}

/** The provider's management API as it stands: nothing is interpreted but what the typed calls name. */
export interface ProviderApi {
  /**
   * Performs one call and returns the provider's answer, whatever its status.
   * @throws GatewayError `provider_unavailable` when no answer came
   */
  call(call: ProviderCall): Promise<HttpClientResponse>
  /**
   * Lists the functions of one namespace (all that the provider shows by default when it is empty).
   * @throws GatewayError `provider_unavailable` on no answer, a status other than 200, or a body that is no array
   */
  listFunctions(namespace: string, signal?: AbortSignal): Promise<readonly FunctionStatus[]>
  /**
   * Names the namespaces, or returns an empty list when the provider does not know the notion (404 or 501).
   * @throws GatewayError `provider_unavailable`
   */
  listNamespaces(signal?: AbortSignal): Promise<readonly string[]>
}

/** Token of the {@link ProviderApi}. */
export const ProviderApi = token<ProviderApi>('ProviderApi')
