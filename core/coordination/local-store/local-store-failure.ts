import { GatewayError } from '../../errors/gateway-error.ts'
import { Unanswered } from '../../workers/questions.ts'

/** What each kind of failure means, as the end of a sentence that is safe to show a client. */
const meanings = {
  away: 'the process that keeps the leases is gone',
  timed_out: 'the process that keeps the leases did not answer in time',
  rejected: 'the process that keeps the leases refused',
  closed: 'the store is not open',
} as const

/** Makes the error that callers of the store get. @param error what was thrown; becomes the cause */
export function localStoreUnavailable(operation: string, error: unknown): GatewayError {
  const failure = failureOf(error)
  return new GatewayError('lease_store_unavailable', `${operation}: ${meanings[failure]}`, {
    details: { operation, failure },
    ...(error === undefined ? {} : { cause: error }),
  })
}

function failureOf(error: unknown): keyof typeof meanings {
  if (error === undefined) return 'closed'
  if (!(error instanceof Unanswered)) return 'rejected'
  return error.isGone ? 'away' : 'timed_out'
}
