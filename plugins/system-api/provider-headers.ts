import { endToEndHeaders, type GatewayRequest } from '#core'

/**
 * What the gateway says itself, or nobody. Lengths differ when the gateway writes the body; one that is passed on gets the client's
 * length. A fence is a gateway's word: with one of its own choice, a client could have all later wakes refused.
 */
const ownHeaders = new Set([
  'content-length',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-pilotlight-fence',
])

/**
 * Returns the client's end-to-end headers for the provider, by lower-case name, repeats joined (RFC 9110 section 5.3), with
 * `x-forwarded-for` (peer appended, without a port), `-host` and `-proto`. A client's `x-pilotlight-fence` is left out.
 *
 * @param trustForwarded whether the client's own `x-forwarded-*` are kept
 */
export function providerHeaders(request: GatewayRequest, trustForwarded: boolean): Record<string, string> {
  const sent = joined(endToEndHeaders(request.rawHeaders, request.header('connection')))
  const trusted = trustForwarded ? sent : {}
  const headers = Object.fromEntries(Object.entries(sent).filter(([name]) => !ownHeaders.has(name)))
  const chain = trusted['x-forwarded-for']
  headers['x-forwarded-for'] = chain === undefined ? request.remoteAddress : `${chain}, ${request.remoteAddress}`
  headers['x-forwarded-host'] = trusted['x-forwarded-host'] ?? request.header('host') ?? ''
  headers['x-forwarded-proto'] = trusted['x-forwarded-proto'] ?? 'http'
  return headers
}

function joined(list: readonly string[]): Record<string, string> {
  const headers: Record<string, string> = {}
  for (let i = 0; i < list.length; i += 2) {
    const name = (list[i] ?? '').toLowerCase()
    const value = list[i + 1] ?? ''
    const before = headers[name]
    headers[name] = before === undefined ? value : `${before}${name === 'cookie' ? '; ' : ', '}${value}`
  }
  return headers
}
