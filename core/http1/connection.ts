import { connect, type Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { HeaderList } from '../http/header-list.ts'
import type { Clock } from '../time/clock.ts'
import type { AnswerHead } from './answer-head.ts'
import { AnswerParser } from './answer-parser.ts'
import type { AnswerSink, LineLimits } from './answer-sink.ts'
import { BodySender } from './body-sender.ts'
import { idleHintMs } from './persistence.ts'
import { ReadBuffer } from './read-buffer.ts'

/** One call as a connection carries it. */
export interface CarriedCall {
  readonly method: string
  /** Text whose characters are bytes. */
  readonly head: string
  readonly body: Buffer | Readable | undefined
  /** Bytes of the body, or undefined when it is chunked. */
  readonly bodyLength: number | undefined
  /** Whether the connection may carry another call afterwards, as far as the request decides. */
  readonly keepsConnection: boolean
  onInformation(status: number, rawHeaders: HeaderList): void
  onHead(head: AnswerHead): void
  /** Returns whether the piece was taken for good, so that its memory may be used again. */
  onPiece(piece: Buffer): boolean
  onEnd(trailers: HeaderList | undefined): void
  /** The connection is gone before the answer was whole. */
  onBroken(cause: unknown): void
}

/** Who owns a connection. */
export interface ConnectionOwner {
  /** It is open, and free. */
  opened(connection: Connection): void
  /** Its call is over; it may carry another one. */
  released(connection: Connection): void
  /** It could not be opened. Never followed by anything. */
  refused(connection: Connection, cause: unknown): void
  /** It was open, and is gone. Never followed by anything. */
  closed(connection: Connection): void
}

/** How a connection is made. */
export interface ConnectionOptions extends LineLimits {
  readonly host: string
  readonly port: number
  readonly connectTimeoutMs: number
}

/** From this size on copying a piece costs more than its buffer. */
const largePieceBytes = 16 * 1024

/** After this long without a byte the kernel asks whether the peer is still there. */
const probeAfterMs = 60_000

/**
 * One connection to an upstream: carries one call at a time. It may be used again only after an answer that was whole, of
 * which nothing was too much, to a request that was sent whole.
 */
export class Connection implements AnswerSink {
  /** When its last call ended, by the monotonic clock. */
  idleSinceMs = 0
  /** How long it may lie idle, by the word of the upstream; undefined when that says nothing. */
  idleHintMs: number | undefined
  readonly #owner: ConnectionOwner
  readonly #socket: Socket
  readonly #parser: AnswerParser
  readonly #buffer = new ReadBuffer()
  #connectTimer: Disposable | undefined
  #call: CarriedCall | undefined
  #sender: BodySender | undefined
  #isClosed = false
  #isPaused = false

  constructor(owner: ConnectionOwner, clock: Clock, options: ConnectionOptions) {
    const { host, port, connectTimeoutMs } = options
    this.#owner = owner
    this.#parser = new AnswerParser(this, options)
    this.#connectTimer = clock.after(connectTimeoutMs, () =>
      this.#end(new Error(`no connection within ${connectTimeoutMs} ms`)),
    )
    const onRead = (size: number, bytes: Uint8Array): boolean => {
      this.#read(bytes as Buffer, size) // one of those that `#buffer` gave
      return true
    }
    this.#socket = connect({
      host,
      port,
      noDelay: true,
      keepAlive: true,
      keepAliveInitialDelay: probeAfterMs,
      onread: { buffer: () => this.#buffer.next(), callback: onRead },
    })
    this.#socket.once('connect', () => this.#connected())
    this.#socket.on('drain', () => this.#sender?.resume())
    this.#socket.once('end', () => this.#ended())
    this.#socket.once('error', (error) => this.#end(error))
    this.#socket.once('close', () => this.#end(new Error('the connection was closed')))
  }

  /** Whether it can carry a call now. */
  get isUsable(): boolean {
    return !this.#isClosed && this.#call === undefined && this.#socket.writable && !this.#socket.readableEnded
  }

  /** Sends a call. The connection must be usable. */
  carry(call: CarriedCall): void {
    this.#call = call
    this.#parser.begin(call.method)
    this.#send(call)
  }

  /** Gives its call up, which is not told, and closes. */
  abandon(): void {
    this.#call = undefined
    this.#end(undefined)
  }

  /** Closes. A call under way is broken off. */
  close(): void {
    this.#end(new Error('the gateway closes its connections'))
  }

  /** Reads nothing more for now; pieces that were read already still come. */
  pause(): void {
    this.#isPaused = true
    this.#socket.pause()
  }

  resume(): void {
    if (!this.#isPaused) return
    this.#isPaused = false
    this.#socket.resume()
  }

  informed(status: number, rawHeaders: HeaderList): void {
    this.#call?.onInformation(status, rawHeaders)
  }

  answered(head: AnswerHead): void {
    this.idleHintMs = idleHintMs(head)
    this.#call?.onHead(head)
  }

  piece(bytes: Buffer, start: number, end: number): void {
    if (end - start >= largePieceBytes && this.#buffer.isOwn(bytes)) {
      if (this.#call?.onPiece(bytes.subarray(start, end)) === false) this.#buffer.giveAway()
      return
    }
    const copy = Buffer.allocUnsafe(end - start)
    bytes.copy(copy, 0, start, end)
    this.#call?.onPiece(copy)
  }

  completed(trailers: HeaderList | undefined, reusable: boolean): void {
    const call = this.#call
    this.#call = undefined
    if (call === undefined) return
    if (!reusable || !call.keepsConnection || !this.#hasSentAll()) {
      this.#end(undefined)
      call.onEnd(trailers)
      return
    }
    this.#sender = undefined
    this.#buffer.release()
    this.resume()
    call.onEnd(trailers)
    this.#owner.released(this)
  }

  #connected(): void {
    this.#connectTimer?.[Symbol.dispose]()
    this.#connectTimer = undefined
    this.#owner.opened(this)
  }

  #send({ head, body, bodyLength }: CarriedCall): void {
    const socket = this.#socket
    if (body === undefined) {
      socket.write(head, 'latin1')
    } else if (body instanceof Readable) {
      socket.write(head, 'latin1')
      this.#sender = new BodySender(socket, { stream: body, length: bodyLength }, (cause) => this.#end(cause))
      this.#sender.start()
    } else {
      socket.cork()
      socket.write(head, 'latin1')
      socket.write(body)
      socket.uncork()
    }
  }

  #hasSentAll(): boolean {
    return this.#sender?.done !== false && this.#socket.writableLength === 0 && this.#socket.writable
  }

  #read(bytes: Buffer, size: number): void {
    if (this.#isClosed) return
    this.#buffer.filled(size)
    try {
      this.#parser.read(bytes, size)
    } catch (error) {
      this.#end(error)
    }
  }

  #ended(): void {
    if (this.#parser.endsWithConnection) this.completed(undefined, false)
    else this.#end(new Error('the upstream closed the connection'))
  }

  #end(cause: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parser.stop()
    this.#buffer.giveAway() // a piece may be on its way out of it right now
    this.#sender?.stop()
    this.#socket.destroy()
    const call = this.#call
    this.#call = undefined
    if (this.#connectTimer === undefined) this.#owner.closed(this)
    else {
      this.#connectTimer[Symbol.dispose]()
      this.#owner.refused(this, cause)
    }
    call?.onBroken(cause)
  }
}
