import { Exchange, functionIdentity } from '#core'
import { someRequest, type RequestAndClient, type SomeRequest } from '../http/some-request.ts'

/** A call of `echo.fn`, and its client. */
export interface ExchangeAndClient {
  readonly exchange: Exchange
  readonly client: RequestAndClient
}

/** Builds a call of `echo.fn` with nothing behind it. */
export function someExchange(decided: SomeRequest = {}): ExchangeAndClient {
  const client = someRequest(decided)
  const exchange = new Exchange('call-1', client.request, {
    route: { identity: functionIdentity('echo', 'fn'), rest: '/a?b', target: '/function/echo/a?b' },
    times: { receivedMs: 1_000_000, forwardedMs: 0, heldMs: 0 },
    startTime: '1700',
  })
  return { exchange, client }
}
