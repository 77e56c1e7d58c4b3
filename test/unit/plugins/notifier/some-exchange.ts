import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { Exchange, functionIdentity, type ExchangeTimes, type FunctionState, type ReplicaDirectory } from '#core'
import { GatewayRequest } from '../../../../core/http/gateway-request.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { FakeClock } from '../../../support/fake-clock.ts'

/** What a test may decide about an exchange. */
export interface SomeExchange {
  readonly method?: string
  /** Path and query, starting with `/function/`. */
  readonly target?: string
  readonly times?: Partial<ExchangeTimes>
}

/** An exchange, and what its client may do. */
export interface ExchangeAndClient {
  readonly exchange: Exchange
  /** Closes the client's connection. */
  readonly leave: () => void
}

/** Builds an exchange for `echo.fn` without a connection behind it. */
export function someExchange({
  method = 'POST',
  target = '/function/echo',
  times = {},
}: SomeExchange = {}): ExchangeAndClient {
  const message = new IncomingMessage(new Socket())
  message.method = method
  message.url = target
  const response = new ServerResponse(message)
  const request = new GatewayRequest({ message, response, replayBodyBytes: 0, expectsContinue: false })
  const exchange = new Exchange('call-1', request, {
    route: { identity: functionIdentity('echo', 'fn'), rest: '', target },
    times: { receivedMs: 1_000_000, forwardedMs: 0, heldMs: 0, ...times },
    startTime: '0',
  })
  return { exchange, leave: () => void response.emit('close') }
}

/** A directory that knows the functions with these keys, each with one desired replica. */
export function directoryOf(...names: readonly string[]): ReplicaDirectory {
  const directory = new LocalReplicaDirectory({ clock: new FakeClock() })
  for (const name of names) directory.apply(readyState(name))
  return directory
}

/** The state of a ready function in namespace `fn`. */
export function readyState(name: string, desired = 1): FunctionState {
  return {
    identity: functionIdentity(name, 'fn'),
    phase: 'ready',
    desired,
    available: desired,
    min: 0,
    max: 20,
    fence: 0,
    observedAtMs: 0,
    reason: '',
    retryAtMs: 0,
    failures: 0,
    labels: {},
    annotations: {},
  }
}
