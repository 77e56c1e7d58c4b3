import { formatDuration, GatewayError } from '#core'

/** Explains that no call waits any more. */
export function draining(): GatewayError {
  return new GatewayError('draining', 'the gateway is shutting down')
}

/** Explains why a call was not sent. */
export function clientLeft(): GatewayError {
  return new GatewayError('client_closed', 'the client left before its call was sent to an instance')
}

/** Explains that an instance refused a call of whose body a part is gone. */
export function cutShort(functionKey: string): GatewayError {
  const message = `an instance of "${functionKey}" stopped taking calls while the request body was being sent; send it again`
  return new GatewayError('no_ready_replica', message)
}

/** Explains that one instance after the other refused a call. */
export function busy(functionKey: string, attempts: number): GatewayError {
  return new GatewayError('overloaded', `the instances of "${functionKey}" refused the call ${attempts} times`)
}

/** Explains that a call waited for its whole time, and for what. */
export function noSlotInTime(
  functionKey: string,
  { waitedMs, instances, waiting }: { waitedMs: number; instances: number; waiting: number },
): GatewayError {
  const message =
    `no instance of "${functionKey}" had a free slot for ${formatDuration(Math.round(waitedMs))} ` +
    `(${instances} ready, ${waiting} other calls wait); add replicas, or raise the limit of calls at a time`
  return new GatewayError('overloaded', message, { retryAfterSeconds: 1 })
}
