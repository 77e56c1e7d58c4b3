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

/** Up to this size a whole body is written together with its head. */
const smallBodyBytes = 8 * 1024

/** From this size on a piece is handed to the kernel at once, not with what else this turn brings. */
const largePieceBytes = 16 * 1024

/**
 * An answer that streams from an upstream to the client. The engine calls `push`, then `complete` or `fail`; core calls
 * `sendTo`. Pieces that arrive before `sendTo` wait here, so that a small answer leaves in one write.
 */
export class UpstreamReply extends Reply {
  readonly #source: UpstreamSource
  #pending: Buffer[] = []
  #pendingBytes = 0
  #bytesSent = 0
  #waitsForDrain = false
  #response: ServerResponse | undefined
  #trailers: HeaderList | undefined
  #state: 'open' | 'complete' | 'failed' | 'discarded' = 'open'

  constructor(head: { status: number; statusText: string; headers: HeaderList }, source: UpstreamSource) {
    super(head.status, head.statusText, head.headers)
    this.#source = source
  }

  /**
   * Takes one piece of the body from the upstream.
   * @returns whether the kernel has it already, so that its memory may be used again
   */
  push(piece: Buffer): boolean {
    if (this.#state === 'discarded') return true
    const response = this.#response
    if (response !== undefined) return this.#write(response, piece)
    this.#pending.push(piece)
    this.#pendingBytes += piece.byteLength
    if (this.#pendingBytes > pendingLimitBytes) this.#source.pause()
    return false
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
    // node:http holds what was written back until the end of this turn; a cut before that would take the head along.
    if (this.#state === 'failed') process.nextTick(cut, response)
    else if (!this.#waitsForDrain) this.#source.resume()
  }

  override discard(): void {
    if (this.#state === 'open') this.#source.abort()
    this.#state = 'discarded'
    this.#pending = []
    this.finish('discarded', 0)
  }

  #write(response: ServerResponse, piece: Buffer): boolean {
    this.#bytesSent += piece.byteLength
    const isLarge = piece.byteLength >= largePieceBytes
    const takesMore = isLarge ? writeAtOnce(response, piece) : response.write(piece)
    if (isLarge && response.writableLength === 0) return true
    if (!takesMore && !response.destroyed) this.#waitForDrain(response)
    return false
  }

  #waitForDrain(response: ServerResponse): void {
    this.#source.pause()
    if (this.#waitsForDrain) return
    this.#waitsForDrain = true
    response.once('drain', () => {
      this.#waitsForDrain = false
      this.#source.resume()
    })
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
      const whole = this.#pending.length === 1 ? first : Buffer.concat(this.#pending, this.#pendingBytes)
      // node:http writes a head and a text at once, but a head and bytes as two pieces, which costs a tenth of a call.
      if (whole.byteLength <= smallBodyBytes) response.end(whole.toString('latin1'), 'latin1')
      else response.end(whole)
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

/** Writes without waiting for the end of the turn, as node:http does unless it is corked by somebody else. */
function writeAtOnce(response: ServerResponse, piece: Buffer): boolean {
  const { socket } = response
  socket?.cork() // keeps the frame of a chunk and its bytes together
  response.cork()
  const takesMore = response.write(piece)
  response.uncork()
  socket?.uncork()
  return takesMore
}

/**
 * Cuts the client's connection so that the body cannot be taken for whole. Towards HTTP/1.0 a body ends with the
 * connection, so that one must be reset: a plain close would be its regular end.
 */
function cut(response: ServerResponse): void {
  const { socket } = response
  // Where an end is being sent already, node could not reset any more, and would keep the handle.
  if (response.req.httpVersionMinor > 0 || socket === null || socket.writableEnded) response.destroy()
  else socket.resetAndDestroy()
}
