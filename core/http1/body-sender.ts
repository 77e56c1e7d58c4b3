import type { Socket } from 'node:net'
import type { Readable } from 'node:stream'

/** A request body that is sent while it is read. */
export interface StreamedBody {
  readonly stream: Readable
  /** Bytes, or undefined for a chunked body. */
  readonly length: number | undefined
}

/** Sends one streamed body with back-pressure, and exactly as many bytes as its head announced. */
export class BodySender {
  readonly #socket: Socket
  readonly #body: StreamedBody
  readonly #onFailed: (cause: unknown) => void
  #sentBytes = 0
  #done = false
  #stopped = false

  constructor(socket: Socket, body: StreamedBody, onFailed: (cause: unknown) => void) {
    this.#socket = socket
    this.#body = body
    this.#onFailed = onFailed
  }

  /** Whether the last byte was handed to the socket. */
  get done(): boolean {
    return this.#done
  }

  /** Starts to read, right after the head. */
  start(): void {
    const { stream } = this.#body
    stream.on('data', (piece: Buffer) => this.#send(piece))
    stream.once('end', () => this.#ended())
    stream.once('error', (error) => this.#fail(error))
    stream.once('close', () => this.#fail(new Error('the request body ended before it was whole')))
  }

  /** The socket takes more. */
  resume(): void {
    if (!this.#stopped && !this.#done) this.#body.stream.resume()
  }

  /** Gives the rest of the body up. */
  stop(): void {
    if (this.#stopped || this.#done) return
    this.#stopped = true
    this.#body.stream.destroy()
  }

  #send(piece: Buffer): void {
    if (this.#stopped || piece.byteLength === 0) return
    this.#sentBytes += piece.byteLength
    const { length, stream } = this.#body
    if (length !== undefined && this.#sentBytes > length) this.#fail(new Error('the request body is too long'))
    else if (!(length === undefined ? this.#sendChunk(piece) : this.#socket.write(piece))) stream.pause()
  }

  #sendChunk(piece: Buffer): boolean {
    const socket = this.#socket
    socket.cork()
    socket.write(`${piece.byteLength.toString(16)}\r\n`, 'latin1')
    socket.write(piece)
    const takesMore = socket.write('\r\n', 'latin1')
    socket.uncork()
    return takesMore
  }

  #ended(): void {
    if (this.#stopped) return
    const { length } = this.#body
    if (length !== undefined && this.#sentBytes < length) {
      this.#fail(new Error('the request body is too short'))
      return
    }
    if (length === undefined) this.#socket.write('0\r\n\r\n', 'latin1')
    this.#done = true
  }

  #fail(cause: unknown): void {
    if (this.#stopped || this.#done) return
    this.stop()
    this.#onFailed(cause)
  }
}
