import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { killOnExit } from '../../support/kill-on-exit.ts'
import { RawConnection } from '../../support/raw-http.ts'

/** One connection that an upstream accepted. */
export interface UpstreamConnection {
  readonly socket: Socket
  /** Heads of the requests that came so far, in order. */
  readonly heads: string[]
  /** Everything that came. */
  received: string
  /** For tests that answer by hand: how many of the requests they have answered. */
  answered: number
}

/** Answers the request that just came whole (its head: bodies are in `received`). */
export type Answerer = (connection: UpstreamConnection, nth: number) => void

/** An upstream whose every byte a test decides. */
export class RawUpstream implements AsyncDisposable {
  readonly #server: Server
  readonly connections: UpstreamConnection[] = []
  answer: Answerer
  /** Called with each new connection. */
  onConnection: (connection: UpstreamConnection) => void = () => {}

  private constructor(server: Server, answerer: Answerer) {
    this.#server = server
    this.answer = answerer
    server.on('connection', (socket: Socket) => this.#accept(socket))
  }

  static async start(
    answerer: Answerer = answering('hello'),
    { port = 0, backlog = 511, host = '127.0.0.1' } = {},
  ): Promise<RawUpstream> {
    const server = createServer({ noDelay: true, allowHalfOpen: true })
    const upstream = new RawUpstream(server, answerer)
    await new Promise<void>((resolve) => server.listen({ port, backlog, host }, resolve))
    return upstream
  }

  get origin(): string {
    const { address, port } = this.#server.address() as AddressInfo // a TCP server's address
    return address.includes(':') ? `http://[${address}]:${port}` : `http://${address}:${port}`
  }

  /** Connections that are open now. */
  get open(): number {
    return this.connections.filter(({ socket }) => !socket.destroyed && !socket.readableEnded).length
  }

  /** Requests that came, over all connections. */
  get requests(): number {
    return this.connections.reduce((count, { heads }) => count + heads.length, 0)
  }

  /** Heads of all requests, in the order they came. */
  readonly arrivals: string[] = []

  /**
   * Leaves new connections without an answer, as a machine does whose queue is full; those that are open stay. Wants a
   * backlog of 1.
   */
  async hang(): Promise<AsyncDisposable> {
    const { origin } = this
    const child = spawn(process.execPath, ['-e', 'process.once("message", () => {})'], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    killOnExit(child)
    await once(child, 'spawn')
    child.kill('SIGSTOP')
    // Nobody accepts from a listener that is on its way to a process that stands still.
    await new Promise((resolve) => child.send('listener', this.#server, { keepOpen: true }, resolve))
    this.#server.close()
    const queued = [await RawConnection.open(origin), await RawConnection.open(origin)]
    return {
      [Symbol.asyncDispose]: async () => {
        for (const one of queued) await one[Symbol.asyncDispose]()
        const ended = once(child, 'exit')
        child.kill('SIGKILL')
        await ended
      },
    }
  }

  /** Accepts no more connections. */
  async refuse(): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { socket } of this.connections) socket.destroy()
    if (this.#server.listening) await new Promise((resolve) => this.#server.close(resolve))
  }

  #accept(socket: Socket): void {
    const connection: UpstreamConnection = { socket, heads: [], received: '', answered: 0 }
    this.connections.push(connection)
    this.onConnection(connection)
    let unread = ''
    socket.on('error', () => {})
    socket.on('end', () => socket.end())
    socket.on('data', (piece: Buffer) => {
      const text = piece.toString('latin1')
      connection.received += text
      unread += text
      for (let end = unread.indexOf('\r\n\r\n'); end !== -1; end = unread.indexOf('\r\n\r\n')) {
        connection.heads.push(unread.slice(0, end))
        this.arrivals.push(unread.slice(0, end))
        unread = unread.slice(end + 4)
        this.answer(connection, connection.heads.length)
      }
    })
  }
}

/** An answer with this body. */
export function answer(body: string, ...lines: readonly string[]): string {
  return ['HTTP/1.1 200 OK', ...lines, `Content-Length: ${body.length}`, '', body].join('\r\n')
}

/** Answers every request with this body. */
export function answering(body: string, ...lines: readonly string[]): Answerer {
  return ({ socket }) => void socket.write(answer(body, ...lines))
}
