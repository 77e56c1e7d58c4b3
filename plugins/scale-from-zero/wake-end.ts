import { GatewayError } from '#core'
import { overdueReason } from './refusals.ts'
import type { Wake } from './wake.ts'

/**
 * How a wake ended.
 * - `ready`: its callers were released
 * - `failed`: it could not be started
 * - `absent`: there is no such function
 * - `abandoned`: nobody waited any more, or this gateway stops
 */
export type WakeOutcome = WakeEnd['outcome']

/** The end of a wake, and what its callers are to be told. */
export type WakeEnd =
  | { readonly outcome: 'ready' | 'abandoned'; readonly error?: never }
  | { readonly outcome: 'failed' | 'absent'; readonly error: GatewayError }

/**
 * Tells what became of a wake whose work has stopped.
 * @param reason why it stopped; undefined when its callers were served or refused otherwise
 */
export function wakeEnd(wake: Wake, nowMs: number, reason?: unknown): WakeEnd {
  if (wake.ending === 'released') return { outcome: 'ready' }
  if (wake.refusal?.code === 'draining') return { outcome: 'abandoned' }
  if (wake.refusal !== undefined) return failure(wake.refusal)
  if (!wake.isAbandoned) return failure(GatewayError.from(reason))
  if (!wake.isOverdue(nowMs)) return { outcome: 'abandoned' }
  return failure(new GatewayError('cold_start_timeout', overdueReason(wake, nowMs - wake.startedMs)))
}

function failure(error: GatewayError): WakeEnd {
  return { outcome: error.code === 'function_not_found' ? 'absent' : 'failed', error }
}
