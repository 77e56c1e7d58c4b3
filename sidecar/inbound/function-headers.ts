import { endToEndHeaders, type GatewayRequest, type HeaderList, headerValue, removeOwnHeaders } from '#core/lean'

/**
 * Returns what the function gets as headers: those of the caller, end to end, without what gateway and sidecar say to each other; and
 * who called, where nobody before has said so to the next one: what `Connection` names was meant for the sidecar only.
 */
export function functionHeaders(request: GatewayRequest): HeaderList {
  const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
  removeOwnHeaders(headers)
  if (headerValue(headers, 'x-forwarded-for') === undefined) headers.push('X-Forwarded-For', request.remoteAddress)
  const host = request.header('host')
  if (host !== undefined && headerValue(headers, 'x-forwarded-host') === undefined)
    headers.push('X-Forwarded-Host', host)
  return headers
}
