import { endToEndHeaders, type GatewayRequest, type HeaderList, headerValue } from '#core/lean'

const prefix = 'x-pilotlight-'

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

/** Removes every `x-pilotlight-...` header, in place: a function must not pass for a sidecar, nor a client for a gateway. */
export function removeOwnHeaders(headers: HeaderList): void {
  if (!headers.some((name, index) => index % 2 === 0 && isOwn(name))) return
  const kept = headers.filter((_, index) => !isOwn(headers[index - (index % 2)] ?? ''))
  headers.splice(0, headers.length, ...kept)
}

function isOwn(name: string): boolean {
  return name.length > prefix.length && name.slice(0, prefix.length).toLowerCase() === prefix
}
