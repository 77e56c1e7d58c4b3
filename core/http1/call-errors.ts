import { GatewayError } from '../errors/gateway-error.ts'

/** A call failed before its upstream accepted a connection: nothing was sent. */
export function neverConnected(cause: unknown): GatewayError {
  return failed(cause, false)
}

/** A call failed on a connection: the upstream may have seen it, whatever the cause's code says. */
export function brokenOff(cause: unknown): GatewayError {
  return cause instanceof GatewayError ? cause : failed(cause, true)
}

function failed(cause: unknown, accepted: boolean): GatewayError {
  return new GatewayError('upstream_failed', 'the upstream did not answer', { cause, details: { accepted } })
}
