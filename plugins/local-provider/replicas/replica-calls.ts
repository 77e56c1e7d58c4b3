import {
  endToEndHeaders,
  gatewayHeader,
  headerValue,
  instanceHeader,
  refusalHeader,
  removeOwnHeaders,
  type Forwarder,
  type HeaderList,
  type Reply,
} from '#core'
import { Refusal } from '../refusal.ts'
import type { FunctionCall } from './replica.ts'

/** A sidecar ends a call that takes too long; this is for one that does not. */
const slackMs = 5_000

/** Where calls of one replica go. */
export interface CallTarget {
  /** Of the function, for messages. */
  readonly name: string
  /** Name of the replica: another one may have its port by now. */
  readonly instance: string
  readonly origin: string
  /** Longest time of a call that the sidecar allows; 0 is no limit. */
  readonly execTimeoutMs: number
}

/** Sends calls to a sidecar, and counts those that are under way. */
export class ReplicaCalls {
  readonly #forwarder: Forwarder
  #inFlight = 0

  constructor(forwarder: Forwarder) {
    this.#forwarder = forwarder
  }

  get inFlight(): number {
    return this.#inFlight
  }

  /** @throws GatewayError as a Forwarder; Refusal when the sidecar did not let the call in: 429 when it is full, else 503 */
  async send({ request, rest }: FunctionCall, { name, instance, origin, execTimeoutMs }: CallTarget): Promise<Reply> {
    this.#inFlight += 1
    let reply: Reply
    try {
      reply = await this.#forwarder.forward({
        request,
        origin,
        path: rest.startsWith('/') ? rest : `/${rest}`,
        headers: headersFor(request, instance),
        timeoutMs: execTimeoutMs === 0 ? 0 : execTimeoutMs + slackMs,
      })
    } catch (error) {
      this.#inFlight -= 1
      throw error
    }
    reply.onEnd(() => (this.#inFlight -= 1))
    const refused = headerValue(reply.headers, refusalHeader)
    if (refused === undefined) return reply
    reply.discard()
    if (refused === 'full') throw new Refusal(429, `function ${name} answers as many calls as it may`)
    throw new Refusal(503, `function ${name} does not take calls: ${refused}`)
  }
}

/** What the client sent, without what only gateways may say; with who asks, so that a full sidecar says so at once. */
function headersFor(request: FunctionCall['request'], instance: string): HeaderList {
  const headers = endToEndHeaders(request.rawHeaders, request.header('connection'))
  removeOwnHeaders(headers)
  const host = request.header('host')
  if (host !== undefined && headerValue(headers, 'x-forwarded-host') === undefined)
    headers.push('X-Forwarded-Host', host)
  headers.push(gatewayHeader, 'local-provider', instanceHeader, instance)
  return headers
}
