import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { WebSocketServer } from 'ws'

/** A function with an event stream at `/events`, a WebSocket that echoes, and a short answer to everything else. */
export class StreamingFunction implements AsyncDisposable {
  /** Short calls that it answered. */
  served = 0
  readonly #server: Server
  readonly #events = new Set<ServerResponse>()
  readonly #sockets = new Set<Socket>()
  readonly #upgrades = new WebSocketServer({ noServer: true })

  private constructor() {
    this.#server = createServer((request, response) => {
      if (request.url === '/events') {
        this.#events.add(response)
        response.once('close', () => this.#events.delete(response))
        response.writeHead(200, { 'Content-Type': 'text/event-stream' }).write('data: begun\n\n')
        return
      }
      this.served += 1
      response.end('hello')
    })
    this.#server.on('connection', (socket) => {
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
    this.#server.on('upgrade', (request, socket, head) => {
      this.#upgrades.handleUpgrade(request, socket, head, (opened) => {
        opened.on('message', (data: Buffer) => opened.send(`echo of ${data.toString()}`)) // as it comes by default
        opened.on('error', () => {})
      })
    })
  }

  static async start(): Promise<StreamingFunction> {
    const made = new StreamingFunction()
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // a TCP server's address is always of this type
  }

  /** Open streams and upgraded connections. */
  get open(): number {
    return this.#events.size + this.#upgrades.clients.size
  }

  /** Sends an event on every open stream. */
  say(text: string): void {
    for (const one of this.#events) one.write(`data: ${text}\n\n`)
  }

  /** Ends every event stream, as the function's own wish. */
  endEvents(): void {
    for (const one of this.#events) one.end()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const one of this.#sockets) one.destroy()
    await closed
  }
}
