import { formatDuration, GatewayError, holdTimeoutAnnotation } from '#core'
import type { Wake } from './wake.ts'

/** Explains that the gateway holds nothing any more. */
export function draining(): GatewayError {
  return new GatewayError('draining', 'the gateway is shutting down')
}

/** Explains why a call was not even held. */
export function clientLeft(): GatewayError {
  return new GatewayError('client_closed', 'the client left before its call was held')
}

/** Explains that the provider knows no such function. */
export function notFound(key: string): GatewayError {
  return new GatewayError('function_not_found', `no function named "${key}"`)
}

/** Explains that one call waited for its whole time. */
export function coldStartTimeout(wake: Wake, waitedMs: number): GatewayError {
  const { key } = wake.identity
  const message =
    `cold start of "${key}" exceeded ${formatDuration(Math.round(waitedMs))} (${replicasSeen(wake)}); ` +
    `raise its annotation ${holdTimeoutAnnotation} or PILOTLIGHT_HOLD_TIMEOUT, or keep a replica running`
  return new GatewayError('cold_start_timeout', message)
}

/** Says for how long a wake has gone on in vain, as the reason of further refusals. */
export function overdueReason(wake: Wake, lastedMs: number): string {
  return `it has not become ready for ${formatDuration(Math.round(lastedMs))} (${replicasSeen(wake)})`
}

/** Refuses a call of a function that is known not to start. */
export function circuitOpen(key: string, reason: string, retryAfterMs: number): GatewayError {
  return new GatewayError('circuit_open', `"${key}" could not be started: ${reason}`, {
    retryAfterSeconds: Math.max(1, retryAfterMs / 1000),
  })
}

function replicasSeen({ isKnown, seen }: Wake): string {
  return isKnown ? `${seen?.available} of ${seen?.desired} replicas ready` : 'no status seen'
}
