import { token } from '../container/token.ts'

/** One outgoing call of the gateway itself (not of a client through it). */
export interface HttpClientRequest {
  readonly method: string
  readonly url: URL
  /** Lower-case names. */
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>
  readonly signal?: AbortSignal
  /** Milliseconds from the call to the last byte that `text` or the head that `request` waits for; 0 is no limit. */
  readonly timeoutMs: number
  /** Whether the URL is a sidecar's: called without a forward proxy; with `https:`, both sides prove who they are. */
  readonly toPeer?: boolean
}

/** The answer to an outgoing call. Its body must be read to the end or discarded. */
export interface HttpClientResponse {
  readonly status: number
  /** Flat list of names and values as received: `[name, value, name, value, ...]`. */
  readonly rawHeaders: readonly string[]
  /** First value of a header, by lower-case name. */
  header(name: string): string | undefined
  readonly body: AsyncIterable<Uint8Array>
  /**
   * Reads the body as UTF-8.
   * @throws Error when it is longer than `maxBytes` (default 32 MiB), cut off, or late
   */
  text(maxBytes?: number): Promise<string>
  /** Gives the rest of the body up and frees the connection. */
  discard(): void
}

/** The gateway's own HTTP client: pooled keep-alive connections, no redirects, no retries. */
export interface HttpClient {
  /** @throws Error with a Node or undici code when no answer's head arrived in time */
  request(request: HttpClientRequest): Promise<HttpClientResponse>
}

/** Token of the {@link HttpClient}. */
export const HttpClient = token<HttpClient>('HttpClient')
