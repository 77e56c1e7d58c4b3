import { GatewayError } from '#core'

/**
 * Returns the URL of a target below the provider's base URL.
 *
 * @param target path and query without a leading slash; path segments already percent-encoded
 * @throws GatewayError `request_invalid` when URL parsing would turn the path into another one (`..`, `%2e`, backslashes): what was
 *   checked here must be what the provider is asked for
 */
export function providerUrl(base: URL, target: string): URL {
  const queryAt = target.indexOf('?')
  const path = queryAt === -1 ? target : target.slice(0, queryAt)
  const url = new URL(base.href + target)
  if (url.pathname !== base.pathname + path) {
    throw new GatewayError(
      'request_invalid',
      'the path holds segments that would name another resource of the provider',
    )
  }
  return url
}
