import type { IncomingMessage } from 'node:http'
import { Readable } from 'node:stream'
import { GatewayError } from '../errors/gateway-error.ts'

/**
 * The body of a client's request, read only when an attempt asks for it, so that a held call costs what the kernel and one
 * stream buffer hold. A body of known length up to `replayBytes` is read whole and may be sent again; a longer one is
 * streamed once, with back-pressure.
 */
export class RequestBody {
  /** Bytes by `Content-Length`; 0 without a body; undefined when it is chunked. */
  readonly length: number | undefined
  readonly #message: IncomingMessage
  readonly #replayBytes: number
  readonly #onFirstRead: (() => void) | undefined
  #whole: Buffer | Promise<Buffer> | undefined
  #streaming = false

  /** @param onFirstRead called before the first byte is asked for: where `100 Continue` is sent */
  constructor(message: IncomingMessage, replayBytes: number, onFirstRead?: () => void) {
    this.#message = message
    this.#replayBytes = replayBytes
    this.#onFirstRead = onFirstRead
    const declared = message.headers['content-length']
    if (message.headers['transfer-encoding'] !== undefined) this.length = undefined
    else this.length = declared === undefined ? 0 : Number(declared)
  }

  /** Whether another attempt may send the body: it is empty, kept, or untouched so far. */
  get replayable(): boolean {
    return this.length === 0 || this.#whole !== undefined || !this.#streaming
  }

  /** Whether the client has sent the last byte, read or not: from then on no time limit for reading the request runs. */
  get hasArrived(): boolean {
    return this.length === 0 || this.#message.complete
  }

  /**
   * Returns the body for one attempt: undefined when there is none, bytes when it is kept, else a stream whose destruction
   * leaves the client's connection alone.
   * @throws GatewayError `client_closed` when the client leaves before a kept body is complete
   */
  open(): Buffer | Promise<Buffer> | Readable | undefined {
    if (this.length === 0) return undefined
    if (this.#whole !== undefined) return this.#whole
    if (this.length !== undefined && this.length <= this.#replayBytes) return this.#readWhole(this.length)
    return this.#stream()
  }

  /**
   * Reads the whole body.
   * @throws GatewayError `body_too_large` beyond `maxBytes`, `client_closed` when the client leaves first
   */
  async bytes(maxBytes: number): Promise<Buffer> {
    if (this.length !== undefined && this.length > maxBytes) throw tooLarge(maxBytes)
    const opened = await this.open()
    if (opened === undefined) return Buffer.alloc(0)
    if (Buffer.isBuffer(opened)) return opened
    const pieces: Buffer[] = []
    let size = 0
    for await (const piece of opened) {
      size += (piece as Buffer).byteLength // a byte stream yields Buffers
      if (size > maxBytes) throw tooLarge(maxBytes)
      pieces.push(piece as Buffer)
    }
    return Buffer.concat(pieces)
  }

  #readWhole(length: number): Promise<Buffer> {
    this.#onFirstRead?.()
    const message = this.#message
    const reading = new Promise<Buffer>((resolve, reject) => {
      if (message.destroyed) reject(clientLeft()) // it has said so before anybody listened
      const pieces: Buffer[] = []
      message.on('data', (piece: Buffer) => pieces.push(piece))
      message.once('end', () => {
        const [only] = pieces
        const whole = pieces.length === 1 && only !== undefined ? only : Buffer.concat(pieces, length)
        this.#whole = whole
        resolve(whole)
      })
      message.once('close', () => reject(clientLeft()))
      message.once('error', () => reject(clientLeft()))
    })
    this.#whole = reading
    return reading
  }

  #stream(): Readable {
    const message = this.#message
    const begin = (): void => {
      if (this.#streaming) return
      this.#streaming = true
      this.#onFirstRead?.()
    }
    let detach = (): void => {}
    const body = new Readable({
      read(): void {
        if (!listening) listen()
        message.resume()
      },
      destroy(error, done): void {
        detach()
        // What still comes is thrown away: unread, it would keep the connection from its next request.
        if (listening) message.resume()
        done(error)
      },
    })
    let listening = false
    const listen = (): void => {
      listening = true
      begin()
      const onData = (piece: Buffer): void => {
        if (!body.push(piece)) message.pause()
      }
      const onEnd = (): void => void body.push(null)
      const onLost = (): void => {
        if (!message.complete) body.destroy(clientLeft())
      }
      detach = (): void => {
        message.off('data', onData).off('end', onEnd).off('close', onLost).off('error', onLost)
      }
      message.on('data', onData).on('end', onEnd).on('close', onLost).on('error', onLost)
    }
    return body
  }
}

function clientLeft(): GatewayError {
  return new GatewayError('client_closed', 'the client left before its request body was complete')
}

function tooLarge(maxBytes: number): GatewayError {
  return new GatewayError('body_too_large', `the request body is larger than ${maxBytes} bytes`)
}
