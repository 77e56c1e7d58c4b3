import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** One request that the provider read whole. */
export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** A provider on loopback whose answers a test writes by hand. */
export class HandlerProvider implements AsyncDisposable {
  /** Requests whose body has ended, in order. */
  readonly seen: SeenRequest[] = []
  /** Connections accepted so far. */
  connections = 0
  answer: (request: SeenRequest, response: ServerResponse) => void
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(answer: HandlerProvider['answer']) {
    this.answer = answer
    this.#server = createServer(this.#read)
    this.#server.on('connection', (socket) => {
      this.connections += 1
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
      socket.on('error', () => socket.destroy())
    })
  }

  /** Starts one. */
  static async start(answer: HandlerProvider['answer']): Promise<HandlerProvider> {
    const provider = new HandlerProvider(answer)
    await new Promise<void>((resolve) => provider.#server.listen(0, '127.0.0.1', resolve))
    return provider
  }

  get url(): URL {
    const { port } = this.#server.address() as AddressInfo // a TCP server's address is always of this type
    return new URL(`http://127.0.0.1:${port}/`)
  }

  get openConnections(): number {
    return this.#sockets.size
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  readonly #read: RequestListener = (message, response) => {
    const pieces: Buffer[] = []
    message.on('error', () => {})
    response.on('error', () => {})
    message.on('data', (piece: Buffer) => pieces.push(piece))
    message.on('end', () => {
      const { method = '', url = '', headers } = message
      const request = { method, target: url, headers, body: Buffer.concat(pieces).toString() }
      this.seen.push(request)
      this.answer(request, response)
    })
  }
}

/** Answers everything with one value as JSON. */
export function json(value: unknown, status = 200): HandlerProvider['answer'] {
  return (_request, response) => {
    response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value))
  }
}

/** Sends 200 and a body that goes on for ever, `mebibytes` at most, as long as somebody reads. */
export function flood(mebibytes: number, sent: { mebibytes: number }): HandlerProvider['answer'] {
  return (_request, response) => {
    response.writeHead(200, { 'Content-Type': 'application/json' })
    const piece = Buffer.alloc(1024 * 1024, ' ')
    const more = (cut?: Error | null): void => {
      if (cut) return
      if (sent.mebibytes >= mebibytes) return void response.end()
      sent.mebibytes += 1
      response.write(piece, more)
    }
    more()
  }
}
