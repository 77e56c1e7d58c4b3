import {
  BufferReply,
  setHeader,
  textReply,
  type GatewayConfig,
  type HttpClient,
  type HttpClientResponse,
  type Logger,
  type ProviderEndpoint,
  type Reply,
  type SystemRequest,
} from '#core'
import { passOn } from './provider-pass.ts'

/** What reading logs works with. */
export interface FunctionLogsDeps {
  readonly http: HttpClient
  readonly endpoint: ProviderEndpoint
  readonly config: GatewayConfig
  readonly log: Logger
}

/**
 * Answers `GET /system/logs`: lines of JSON from the provider, or from the source that `logs_provider_url` names, flushed
 * as they come. A client that leaves ends the call to the source.
 */
export class FunctionLogs {
  readonly #deps: FunctionLogsDeps

  constructor(deps: FunctionLogsDeps) {
    this.#deps = deps
  }

  /** @throws GatewayError `client_closed` */
  async handle(request: SystemRequest): Promise<Reply> {
    const response = await this.#open(request)
    if (response === undefined) return textReply(500, 'log request failed\n')
    if (response.status === 200) return logReply(response)
    response.discard()
    if (response.status === 404 || response.status === 501) return new BufferReply(501)
    return textReply(500, `unknown log request error (${response.status})\n`)
  }

  async #open(request: SystemRequest): Promise<HttpClientResponse | undefined> {
    const { http, endpoint, config, log } = this.#deps
    const { signal } = request.request
    const authorization = endpoint.authorization ?? request.request.header('authorization')
    try {
      return await http.request({
        method: 'GET',
        url: new URL(`system/logs${request.search}`, folder(config.logsProviderUrl ?? endpoint.url)),
        headers: authorization === undefined ? {} : { authorization },
        // A source that follows may send its head with the first line, whenever that is written.
        timeoutMs: follows(request.query) ? 0 : config.upstreamTimeoutMs,
        signal,
      })
    } catch (error) {
      signal.throwIfAborted()
      log.warn('the source of logs did not answer', { error })
      return undefined
    }
  }
}

/** Returns the URL with a path that ends in `/`, below which relative URLs stay. */
function folder(url: URL): URL {
  return url.pathname.endsWith('/') ? url : new URL(`${url.origin}${url.pathname}/`)
}

function follows(query: URLSearchParams): boolean {
  const follow = query.get('follow')
  return follow === '1' || follow === 'true'
}

function logReply(response: HttpClientResponse): Reply {
  const reply = passOn(response)
  if (response.header('content-type') === undefined) setHeader(reply.headers, 'Content-Type', 'application/x-ndjson')
  return reply
}
