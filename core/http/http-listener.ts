import type { Reply } from '../pipeline/reply.ts'
import type { GatewayRequest } from './gateway-request.ts'

/** Answers one request. What it throws is turned into a response by core/http/rescue.ts. */
export type RequestHandler = (request: GatewayRequest) => Promise<Reply>

/** Limits and time-outs of a listener. */
export interface HttpListenerOptions {
  /** Answers every request that passed the listener's checks, upgrades included. */
  readonly handle: RequestHandler
  /** Milliseconds from the first byte of a request to the last of its body; 0 is no limit. */
  readonly readTimeoutMs: number
  readonly maxHeaderBytes: number
  readonly maxHeaderLines: number
  readonly replayBodyBytes: number
  /** Told of failures that are no client's fault. */
  readonly onFailure: (error: unknown, request: GatewayRequest) => void
}

/** Accepts connections and hands requests to a handler. */
export declare class HttpListener {
  constructor(options: HttpListenerOptions)
  /** @returns the port listened on */
  listen(host: string, port: number): Promise<number>
  /** Stops accepting; resolves when every connection is finished, cutting what is left when `deadline` aborts. */
  drain(deadline: AbortSignal): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
