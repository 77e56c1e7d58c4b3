import { connect, type Socket } from 'node:net'
import { eventually } from './eventually.ts'
import { fieldOf, type Framing, parseResponse, type RawResponse } from './raw-response.ts'

/** How a peer closed a connection: `end` is a clean close, `reset` anything else. */
export type Closing = 'open' | 'end' | 'reset'

/** A connection on which a test decides every byte that is sent and sees every byte that comes. */
export class RawConnection implements AsyncDisposable {
  readonly socket: Socket
  #received: Buffer[] = []
  #closing: Closing = 'open'

  constructor(socket: Socket) {
    this.socket = socket
    socket.setNoDelay(true)
    socket.on('data', (piece: Buffer) => this.#received.push(piece))
    socket.on('end', () => {
      if (this.#closing === 'open') this.#closing = 'end'
    })
    socket.on('error', () => (this.#closing = 'reset'))
    socket.on('close', () => {
      if (this.#closing === 'open') this.#closing = 'reset'
    })
  }

  /** Connects to the host and port of a URL. The peer's half-close leaves the sending side open. */
  static open(url: string): Promise<RawConnection> {
    const { hostname, port } = new URL(url)
    return new Promise((resolve, reject) => {
      const socket = connect({ host: hostname, port: Number(port), allowHalfOpen: true })
      socket.once('error', reject)
      socket.once('connect', () => {
        socket.off('error', reject)
        resolve(new RawConnection(socket))
      })
    })
  }

  /** Everything received and not yet taken by {@link response}. */
  get received(): Buffer {
    if (this.#received.length > 1) this.#received = [Buffer.concat(this.#received)]
    return this.#received[0] ?? Buffer.alloc(0)
  }

  /** What the peer did to the connection. */
  get closing(): Closing {
    return this.#closing
  }

  /** Sends exactly these bytes; strings as Latin-1. Resolves once the kernel took them, so that big bodies meet back-pressure. */
  send(bytes: string | Uint8Array): Promise<void> {
    const data = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes
    if (this.socket.destroyed || this.socket.write(data)) return Promise.resolve()
    return new Promise((resolve) => {
      const done = (): void => {
        this.socket.off('drain', done).off('close', done)
        resolve()
      }
      this.socket.on('drain', done).on('close', done)
    })
  }

  /** Says that nothing more will be sent, and keeps reading. */
  halfClose(): void {
    this.socket.end()
  }

  /** Leaves as a crashed client does. */
  abort(): void {
    this.socket.resetAndDestroy()
  }

  /** Resolves with the next answer once it is whole, or once the peer closed inside it (`complete` false). */
  async response(method = 'GET', withinMs = 10_000): Promise<RawResponse> {
    const answer = await eventually('a whole answer', () => this.#answer({ method, mustBeWhole: true }), withinMs)
    this.#received = [this.received.subarray(answer.wireBytes)]
    return answer
  }

  /** Resolves with what is there of the next answer as soon as its head is; leaves it where it is. */
  begun(method = 'GET', withinMs = 10_000): Promise<RawResponse> {
    return eventually('the head of an answer', () => this.#answer({ method, mustBeWhole: false }), withinMs)
  }

  /** Resolves when the received bytes contain `text`. */
  async shows(text: string, withinMs = 10_000): Promise<void> {
    await eventually(`"${text}"`, () => this.received.includes(text), withinMs)
  }

  /** Resolves with how the peer closed. */
  async closed(withinMs = 10_000): Promise<Closing> {
    await eventually('the connection to close', () => this.#closing !== 'open', withinMs)
    return this.#closing
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.socket.closed) return
    const closed = new Promise((resolve) => this.socket.once('close', resolve))
    this.socket.destroy()
    await closed
  }

  #answer({ method, mustBeWhole }: { method: string; mustBeWhole: boolean }): RawResponse | undefined {
    const framing: Framing = { method, ended: this.#closing === 'end' }
    const answer = parseResponse(this.received, framing)
    if (answer === undefined) {
      if (this.#closing === 'open') return undefined
      throw new Error(`the peer closed (${this.#closing}) before a whole head; received ${describe(this.received)}`)
    }
    return mustBeWhole && !answer.complete && this.#closing === 'open' ? undefined : answer
  }
}

/** Sends one request on a connection of its own and resolves with its answer. */
export async function rawRequest(url: string, bytes: string | Uint8Array, method = 'GET'): Promise<RawResponse> {
  await using connection = await RawConnection.open(url)
  await connection.send(bytes)
  return await connection.response(method) // awaited here: leaving the function closes the connection
}

/** Builds the bytes of a request without a body, `Host` included. */
export function requestBytes(method: string, target: string, fields: readonly string[] = []): string {
  return [`${method} ${target} HTTP/1.1`, 'Host: gateway.test', ...fields, '', ''].join('\r\n')
}

/** First value of a header of an answer. */
export function header(response: RawResponse, name: string): string | undefined {
  return fieldOf(response.fields, name)
}

function describe(bytes: Buffer): string {
  return bytes.length === 0 ? 'nothing' : JSON.stringify(bytes.toString('latin1', 0, 200))
}
