import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'

/** One call that reached the function. */
export interface FrontedCall {
  readonly headers: IncomingMessage['headers']
  finish(): void
}

/** A function behind a real sidecar: answers when the test says so, or after `workMs`, with what it was sent. */
export class FrontedFunction implements AsyncDisposable {
  readonly calls: FrontedCall[] = []
  served = 0
  mostInFlight = 0
  /** Told of each call that arrives. */
  onCall: (() => void) | undefined
  readonly #server: Server
  readonly #sockets = new Set<Socket>()

  private constructor(workMs: number | undefined) {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      const call: FrontedCall = {
        headers: request.headers,
        finish: () => {
          const at = this.calls.indexOf(call)
          if (at === -1) return
          this.calls.splice(at, 1)
          response.end(Buffer.concat(pieces))
        },
      }
      request.once('end', () => {
        this.calls.push(call)
        this.served += 1
        this.mostInFlight = Math.max(this.mostInFlight, this.calls.length)
        this.onCall?.()
        if (workMs !== undefined) setTimeout(() => call.finish(), workMs)
      })
      response.on('error', () => {})
      response.once('close', () => call.finish())
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(workMs?: number): Promise<FrontedFunction> {
    const made = new FrontedFunction(workMs)
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // a TCP server's address is always of this type
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }
}
