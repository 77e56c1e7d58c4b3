import {
  GatewayError,
  type HttpClient,
  type HttpClientRequest,
  type HttpClientResponse,
  type ProviderCall,
  type ProviderEndpoint,
} from '#core'
import { providerUrl } from './provider-url.ts'

const userAgent = 'pilotlight'

/**
 * Performs single calls of the provider's management API: no repeats, no redirects, credentials of the gateway added.
 * Safe for parallel callers.
 */
export class ProviderCaller {
  readonly #http: HttpClient
  readonly #endpoint: ProviderEndpoint
  readonly #timeoutMs: number

  constructor(deps: { http: HttpClient; endpoint: ProviderEndpoint; timeoutMs: number }) {
    this.#http = deps.http
    this.#endpoint = deps.endpoint
    this.#timeoutMs = deps.timeoutMs
  }

  /**
   * @throws GatewayError `provider_unavailable` when no answer's head came in time, `request_invalid` for a target that is none;
   *   the reason of the call's own signal when that aborted
   */
  async call(call: ProviderCall): Promise<HttpClientResponse> {
    const request: HttpClientRequest = {
      method: call.method,
      url: providerUrl(this.#endpoint.url, call.target),
      headers: this.#headers(call),
      timeoutMs: call.timeoutMs ?? this.#timeoutMs,
      ...(call.body === undefined ? {} : { body: call.body }),
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }
    try {
      return await this.#http.request(request)
    } catch (cause) {
      call.signal?.throwIfAborted()
      throw new GatewayError('provider_unavailable', 'the provider did not answer', { cause })
    }
  }

  #headers(call: ProviderCall): Record<string, string> {
    const headers: Record<string, string> = { 'user-agent': userAgent, ...call.headers }
    if (call.keepAuthorization === true) return headers
    delete headers['authorization']
    if (this.#endpoint.authorization !== undefined) headers['authorization'] = this.#endpoint.authorization
    return headers
  }
}
