import type { ServerResponse } from 'node:http'
import { GatewayError } from '../errors/gateway-error.ts'
import type { HeaderList } from '../http/header-list.ts'

/**
 * How a reply ended.
 * - `complete`: the last byte was handed to the client's socket
 * - `client_gone`: the client left first
 * - `truncated`: the upstream died or ran out of time inside the body; the client's connection was cut
 * - `discarded`: never sent, another reply took its place
 */
export type ReplyEnd = 'complete' | 'client_gone' | 'truncated' | 'discarded'

/** Called once, after the last byte or when sending ended otherwise. What it throws becomes a warning of the process. */
export type ReplyEndListener = (end: ReplyEnd, bytesSent: number) => void

/**
 * The answer to one request, before its first byte is sent. Middleware may read and change `status` and `headers`, and
 * may replace the reply by another one after calling `discard`. Core sends it once the outermost middleware returned it.
 *
 * Order: (change headers)* -> sendTo | discard | bytes -> end listeners, exactly once.
 */
export abstract class Reply {
  status: number
  statusText: string
  headers: HeaderList
  #onEnd: ReplyEndListener | ReplyEndListener[] | undefined
  #ended = false

  constructor(status: number, statusText: string, headers: HeaderList) {
    this.status = status
    this.statusText = statusText
    this.headers = headers
  }

  /** Registers a listener for the end; middleware uses it to learn bytes and duration. */
  onEnd(listener: ReplyEndListener): void {
    if (this.#onEnd === undefined) this.#onEnd = listener
    else if (Array.isArray(this.#onEnd)) this.#onEnd.push(listener)
    else this.#onEnd = [this.#onEnd, listener]
  }

  /** Writes head and body, honouring back-pressure. Called by core only. */
  abstract sendTo(response: ServerResponse): void

  /** Gives the reply up: frees its upstream connection, sends nothing. */
  abstract discard(): void

  /**
   * Reads the whole body in place of sending it, for middleware that makes another reply of it. Ends as `discarded`.
   * @throws GatewayError `not_supported` when this kind of reply cannot be read, `upstream_failed` when the body is longer
   *   than `maxBytes` or breaks off
   */
  bytes(_maxBytes: number): Promise<Uint8Array> {
    this.discard()
    return Promise.reject(new GatewayError('not_supported', 'the body of this reply cannot be read by middleware'))
  }

  /** Tells the listeners, once. Subclasses call it when nothing more will be sent. */
  protected finish(end: ReplyEnd, bytesSent: number): void {
    if (this.#ended) return
    this.#ended = true
    if (typeof this.#onEnd === 'function') tell(this.#onEnd, end, bytesSent)
    else if (this.#onEnd !== undefined) for (const listener of this.#onEnd) tell(listener, end, bytesSent)
  }
}

/** A listener is called from the events of a socket: what it throws would end the process, and with it every other call. */
function tell(listener: ReplyEndListener, end: ReplyEnd, bytesSent: number): void {
  try {
    listener(end, bytesSent)
  } catch (error) {
    process.emitWarning(`a listener for the end of a reply failed: ${String(error)}`)
  }
}
