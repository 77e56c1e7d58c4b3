import {
  BufferReply,
  endToEndHeaders,
  GatewayError,
  StreamReply,
  type GatewayConfig,
  type GatewayRequest,
  type HttpClientResponse,
  type Logger,
  type ProviderApi,
  type ProviderCall,
  type Reply,
  type SystemRequest,
} from '#core'
import { providerHeaders } from './provider-headers.ts'

/** What differs from passing a request on as it came. */
export interface PassChanges {
  /** Sent in the place of the client's body. */
  readonly body?: string | Uint8Array
  /** Lower-case names; set in the place of the client's. */
  readonly headers?: Readonly<Record<string, string>>
  /** The client's own credentials go to the provider, not the gateway's. */
  readonly keepAuthorization?: boolean
}

/**
 * Passes requests on to the provider and its answers back: status, end-to-end headers and body as they came, streamed both
 * ways. A client that leaves cancels the call; a provider that dies inside the body cuts the client's connection.
 */
export class ProviderPass {
  readonly #api: ProviderApi
  readonly #config: GatewayConfig
  readonly #log: Logger

  constructor(deps: { api: ProviderApi; config: GatewayConfig; log: Logger }) {
    this.#api = deps.api
    this.#config = deps.config
    this.#log = deps.log
  }

  /**
   * Answers a request from the provider; 502 without a body when there is no answer, which OpenFaaS clients know.
   * @param target as in ProviderCall
   * @throws GatewayError `client_closed`
   */
  async reply(request: SystemRequest, target: string, changes: PassChanges = {}): Promise<Reply> {
    const response = await this.call(request, target, changes)
    return response === undefined ? new BufferReply(502) : passOn(response)
  }

  /**
   * Calls the provider for a request; undefined (and logged) when there is no answer.
   * @throws GatewayError `client_closed`
   */
  async call(
    request: SystemRequest,
    target: string,
    changes: PassChanges = {},
  ): Promise<HttpClientResponse | undefined> {
    try {
      return await this.#api.call(await this.#callFor(request.request, request.method, { target, changes }))
    } catch (error) {
      if (!(error instanceof GatewayError) || error.code !== 'provider_unavailable') throw error
      this.#log.warn('the provider did not answer a system call', { method: request.method, path: request.path, error })
      return undefined
    }
  }

  async #callFor(
    request: GatewayRequest,
    method: string,
    { target, changes }: { target: string; changes: PassChanges },
  ): Promise<ProviderCall> {
    const headers = { ...providerHeaders(request, this.#config.trustForwarded), ...changes.headers }
    const body = changes.body ?? (await request.body.open())
    const isStream = typeof body === 'object' && !(body instanceof Uint8Array)
    if (isStream && request.body.length !== undefined) headers['content-length'] = String(request.body.length)
    // Without basic auth at the gateway, a client may know the provider's credentials.
    const keepAuthorization =
      changes.keepAuthorization === true || (!this.#config.basicAuth && 'authorization' in headers)
    return {
      method,
      target,
      headers,
      keepAuthorization,
      signal: request.signal,
      ...(body === undefined ? {} : { body }),
    }
  }
}

/** Turns the provider's answer into the client's. */
export function passOn(response: HttpClientResponse): Reply {
  const headers = endToEndHeaders(response.rawHeaders, response.header('connection'))
  return new StreamReply(response.status, headers, response.body, () => response.discard())
}
