import { token } from '../container/token.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { GatewayRequest } from './gateway-request.ts'
import type { HeaderList } from './header-list.ts'

/** One attempt to have a request answered by an upstream. */
export interface ForwardCall {
  readonly request: GatewayRequest
  /** `http://host:port` */
  readonly origin: string
  /** Path and query for the upstream. */
  readonly path: string
  /** What the upstream gets besides `Host`: end-to-end headers only (see {@link endToEndHeaders}). */
  readonly headers: HeaderList
  /** Milliseconds until the last byte of the answer; 0 is no limit. For an upgrade: until its answer's head. */
  readonly timeoutMs: number
  /** Lower-case headers to add to the 101 of a tunnel, whose head cannot be changed by middleware any more. */
  readonly tunnelHeaders?: Readonly<Record<string, string>>
  /** Whether the origin is a sidecar: called without a forward proxy; with `https:`, both sides prove who they are. */
  readonly toPeer?: boolean
}

/**
 * Sends a request to an upstream and gives the answer as soon as its head is there. Bodies are streamed both ways with
 * back-pressure and flushed as they come; trailers and informational answers are passed on; hop-by-hop headers of the
 * answer are removed. A client that leaves cancels the upstream; an upstream that dies inside the body cuts the client's
 * connection. A request for another protocol becomes a tunnel.
 *
 * @throws GatewayError
 *   `upstream_failed`: no head came; `details.accepted` is false when the connection was never accepted, so that nothing was sent;
 *   `upstream_timeout`: no head came in time; `client_closed`: the client left first
 */
export interface Forwarder extends AsyncDisposable {
  forward(call: ForwardCall): Promise<Reply>
  /**
   * The upstream at `origin` is gone or going: idle connections to it are closed now, the others after their calls. Absent where
   * an engine leaves that to the other side.
   */
  forget?(origin: string): void
}

/** Token of the {@link Forwarder}. */
export const Forwarder = token<Forwarder>('Forwarder')
