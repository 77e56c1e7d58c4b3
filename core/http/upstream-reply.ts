import type { ServerResponse } from 'node:http'
import { Reply } from '../pipeline/reply.ts'
import { headerPairs, type HeaderList } from './header-list.ts'

/** The upstream's side of an answer, as an engine controls it. */
export interface UpstreamSource {
  /** Stops delivering pieces soon; a few may still come. */
  pause(): void
  resume(): void
  /** Cancels the exchange with the upstream. */
  abort(): void
}

/** Bytes kept for a reply that is not being sent yet, before the upstream is told to wait. */
const pendingLimitBytes = 64 * 1024

/**
 * An answer that streams from an upstream to the client. The engine calls `push`, then `complete` or `fail`; core calls
 * `sendTo`. Pieces that arrive before `sendTo` wait here, so that a small answer leaves in one write.
 */
export class UpstreamReply extends Reply {
  readonly #source: UpstreamSource
  #pending: Buffer[] = []
  #pendingBytes = 0
  #bytesSent = 0
  #response: ServerResponse | undefined
  #trailers: HeaderList | undefined
  #state: 'open' | 'complete' | 'failed' | 'discarded' = 'open'

  constructor(head: { status: number; statusText: string; headers: HeaderList }, source: UpstreamSource) {
    super(head.status, head.statusText, head.headers)
    this.#source = source
  }

  /** Takes one piece of the body from the upstream. */
  push(piece: Buffer): void {
    if (this.#state === 'discarded') return
    const response = this.#response
    if (response === undefined) {
      this.#pending.push(piece)
      this.#pendingBytes += piece.byteLength
      if (this.#pendingBytes > pendingLimitBytes) this.#source.pause()
    } else {
      this.#write(response, piece)
    }
  }

  /** The upstream's answer is whole. */
  complete(trailers: HeaderList | undefined): void {
    if (this.#state !== 'open') return
    this.#state = 'complete'
    this.#trailers = trailers
    if (this.#response !== undefined) this.#end(this.#response)
  }

  /** The upstream died, or ran out of time, inside the body. */
  fail(): void {
    if (this.#state !== 'open' || this.#response?.destroyed === true) return
    this.#state = 'failed'
    if (this.#response !== undefined) cut(this.#response)
  }

  override sendTo(response: ServerResponse): void {
    this.#response = response
    response.on('close', () => this.#closed(response))
    response.writeHead(this.status, this.statusText, this.headers)
    if (this.#state === 'complete') {
      this.#end(response)
      return
    }
    if (this.#pending.length === 0) response.flushHeaders()
    else for (const piece of this.#pending) this.#write(response, piece)
    this.#pending = []
    if (this.#state === 'failed') cut(response)
    else if (!response.writableNeedDrain) this.#source.resume()
  }

  override discard(): void {
    if (this.#state === 'open') this.#source.abort()
    this.#state = 'discarded'
    this.#pending = []
    this.finish('discarded', 0)
  }

  #write(response: ServerResponse, piece: Buffer): void {
    this.#bytesSent += piece.byteLength
    if (response.write(piece) || response.destroyed) return
    this.#source.pause()
    response.once('drain', () => this.#source.resume())
  }

  #end(response: ServerResponse): void {
    // The last pieces may have met back-pressure; a connection that stays paused would starve its next call.
    this.#source.resume()
    if (this.#trailers !== undefined) response.addTrailers(headerPairs(this.#trailers))
    const [first] = this.#pending
    if (first === undefined) {
      response.end()
    } else {
      this.#bytesSent += this.#pendingBytes
      response.end(this.#pending.length === 1 ? first : Buffer.concat(this.#pending, this.#pendingBytes))
      this.#pending = []
    }
  }

  #closed(response: ServerResponse): void {
    if (response.writableFinished && this.#state === 'complete') {
      this.finish('complete', this.#bytesSent)
      return
    }
    if (this.#state === 'failed') {
      this.finish('truncated', this.#bytesSent)
      return
    }
    this.#source.abort()
    this.finish('client_gone', this.#bytesSent)
  }
}

/**
 * Cuts the client's connection so that the body cannot be taken for whole. Towards HTTP/1.0 a body ends with the
 * connection, so that one must be reset: a plain close would be its regular end.
 */
function cut(response: ServerResponse): void {
  if (response.req.httpVersionMinor > 0) response.destroy()
  else response.socket?.resetAndDestroy()
}
