import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import type { Duplex } from 'node:stream'

/** One request that a forward proxy received. */
export interface ProxiedCall {
  readonly method: string
  /** As sent: a whole URL, or host and port of a tunnel. */
  readonly target: string
  readonly host: string | undefined
  readonly authorization: string | undefined
}

/** What a forward proxy does instead of its work. */
export type ProxyFault = 'refuse' | 'stay silent' | 'hang up' | 'cut the answer'

/** A forward proxy on loopback: whatever host it is asked for, it leads to one port of loopback. */
export class ForwardProxy implements AsyncDisposable {
  readonly calls: ProxiedCall[] = []
  fault: ProxyFault | undefined
  readonly #server: Server
  readonly #leadsTo: number
  readonly #sockets = new Set<Duplex>()

  private constructor(leadsTo: number) {
    this.#leadsTo = leadsTo
    this.#server = createServer((incoming, response) => this.#pass(incoming, response))
    this.#server.on('connect', (incoming, socket) => this.#tunnel(incoming, socket))
    this.#server.on('connection', (socket) => this.#keep(socket))
  }

  /** Starts one in front of a port of 127.0.0.1. */
  static async start(leadsTo: number): Promise<ForwardProxy> {
    const proxy = new ForwardProxy(leadsTo)
    await new Promise<void>((resolve) => proxy.#server.listen({ host: '127.0.0.1', port: 0 }, resolve))
    return proxy
  }

  /** `host:port`. */
  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}` // a TCP server's address is always of this type
  }

  /** Cuts what is open and refuses connections from now on. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#server.listening) return
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  #pass(incoming: IncomingMessage, response: ServerResponse): void {
    this.#record(incoming)
    if (this.#lettingDown(incoming.socket)) return
    const { host, pathname, search } = new URL(incoming.url ?? '')
    const headers = [...incoming.rawHeaders]
    headers[headers.findIndex((name) => name.toLowerCase() === 'host') + 1] = host
    const to = { host: '127.0.0.1', port: this.#leadsTo, path: pathname + search, agent: false } as const
    const outgoing = request({ ...to, method: incoming.method, headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.rawHeaders)
      if (this.fault === 'cut the answer') {
        response.write('half', () => incoming.socket.destroy())
        answer.resume()
      } else {
        answer.pipe(response)
      }
    })
    outgoing.on('error', () => response.destroy())
    response.on('close', () => outgoing.destroy())
    incoming.pipe(outgoing)
  }

  #tunnel(incoming: IncomingMessage, socket: Duplex): void {
    this.#record(incoming)
    if (this.#lettingDown(socket)) return
    const onward = connect({ host: '127.0.0.1', port: this.#leadsTo })
    this.#keep(onward)
    onward.once('connect', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      socket.pipe(onward).pipe(socket)
    })
    onward.once('close', () => socket.destroy())
    socket.once('close', () => onward.destroy())
  }

  #record({ method = '', url = '', headers }: IncomingMessage): void {
    this.calls.push({ method, target: url, host: headers.host, authorization: headers['proxy-authorization'] })
  }

  #lettingDown(socket: Duplex): boolean {
    if (this.fault === 'refuse') socket.end('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n')
    if (this.fault === 'hang up') socket.destroy()
    return this.fault !== undefined && this.fault !== 'cut the answer'
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('error', () => socket.destroy())
    socket.once('close', () => this.#sockets.delete(socket))
  }
}
