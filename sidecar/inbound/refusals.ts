import { GatewayError, type Refusal, refusalHeader, type Reply, rescue } from '#core/lean'

/** How a call that was not let in is answered, for gateways and everybody else. */
const refusals = {
  full: { code: 'overloaded', text: 'every slot of this instance is taken' },
  draining: { code: 'draining', text: 'this instance is leaving' },
  not_ready: { code: 'no_ready_replica', text: 'the function does not accept calls' },
  mistaken: { code: 'no_ready_replica', text: 'another instance had this address before' },
} as const

/** Tells a gateway to go elsewhere: nothing of the call has reached the function, and its body was not read. */
export function refuseGateway(refusal: Refusal, reason = ''): Reply {
  const reply = refuse(refusal, reason)
  reply.headers.push(refusalHeader, refusal)
  return reply
}

/** Tells a caller that is no gateway to try again. */
export function refuse(refusal: Refusal, reason = ''): Reply {
  const { code, text } = refusals[refusal]
  return rescue(new GatewayError(code, reason === '' ? text : `${text}: ${reason}`))
}

/** The queue is full, or has kept a call waiting for too long. */
export function refuseQueued(text: string): Reply {
  return rescue(new GatewayError('rate_limited', text))
}
