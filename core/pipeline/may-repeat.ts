import { GatewayError } from '../errors/gateway-error.ts'
import type { GatewayRequest } from '../http/gateway-request.ts'
import { neverReached } from '../http/upstream-errors.ts'

/** Methods that may be repeated although an attempt may have reached its upstream (RFC 9110 section 9.2.2). */
const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE'])

/** Whether an attempt was cut before its answer began, after its connection had been accepted. */
export function wasCut(error: unknown): boolean {
  return error instanceof GatewayError && error.code === 'upstream_failed' && error.details['accepted'] === true
}

/**
 * Whether a call whose attempt failed before its answer began may be sent again: its body can be, its client is there, and the
 * attempt never reached an upstream, or does no harm when it is made twice. One that ran out of time is not repeated.
 */
export function mayRepeat({ method, body, gone }: GatewayRequest, error: unknown): boolean {
  if (gone || !body.replayable) return false
  return neverReached(error) || (wasCut(error) && idempotent.has(method))
}
