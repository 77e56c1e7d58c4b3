import { GatewayError } from '../errors/gateway-error.ts'

/**
 * Codes of failures before a connection could carry anything: the upstream cannot have seen the request. Nothing is sent to a peer whose
 * certificate does not convince; what the peer thinks of ours may be heard later than that.
 */
const neverAccepted = new Set([
  'ECONNREFUSED',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EADDRNOTAVAIL',
  'UND_ERR_CONNECT_TIMEOUT',
  // This process, or this machine, has no descriptor left for a connection.
  'EMFILE',
  'ENFILE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_REJECTED',
  'CERT_UNTRUSTED',
  'CERT_CHAIN_TOO_LONG',
  'CERT_SIGNATURE_FAILURE',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'INVALID_CA',
  'INVALID_PURPOSE',
  'HOSTNAME_MISMATCH',
  'PATH_LENGTH_EXCEEDED',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
])

/**
 * Explains a failed attempt. `details.accepted` tells whether the upstream may have seen the request.
 * The only place, with core/redis, that knows errno strings.
 */
export function upstreamFailed(cause: unknown): GatewayError {
  return new GatewayError('upstream_failed', 'the upstream did not answer', {
    cause,
    details: { accepted: !hasCode(cause, neverAccepted) },
  })
}

/** Explains an attempt that ran out of time before its answer's head. */
export function upstreamTimedOut(timeoutMs: number): GatewayError {
  return new GatewayError(
    'upstream_timeout',
    `the function did not begin to answer within ${timeoutMs} ms; raise upstream_timeout and write_timeout if it needs longer`,
  )
}

/** Explains an attempt given up because the client left. */
export function clientClosed(): GatewayError {
  return new GatewayError('client_closed', 'the client left before the answer was complete')
}

/** Whether a failed attempt certainly never reached the upstream, so that repeating it is safe for any method. */
export function neverReached(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_failed' && error.details['accepted'] === false
}

function hasCode(reason: unknown, codes: ReadonlySet<string>): boolean {
  for (let at = reason, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if ('code' in at && typeof at.code === 'string' && codes.has(at.code)) return true
    if (at instanceof AggregateError && at.errors.length > 0 && at.errors.every((one) => hasCode(one, codes)))
      return true
  }
  return false
}
