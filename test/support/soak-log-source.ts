import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Signals } from './soak-signals.ts'

const beatMs = 15

/** Lines of a log that is not followed. */
export const logLength = 5

/** Where a gateway takes logs of functions from: some lines, or lines without end to those who follow. */
export class LogSource implements AsyncDisposable {
  readonly #server: Server
  readonly #signals: Signals

  /** @param signals told `unfollowed name` when a follower has left */
  constructor(signals: Signals) {
    this.#signals = signals
    this.#server = createServer((request, response) => this.#answer(request, response))
  }

  /** Starts to listen. */
  static async start(signals: Signals): Promise<LogSource> {
    const source = new LogSource(signals)
    await new Promise<void>((resolve) => source.#server.listen(0, '127.0.0.1', resolve))
    return source
  }

  /** Base URL, ending in `/`. */
  get url(): string {
    const { port } = this.#server.address() as AddressInfo // a TCP server's address is always of this type
    return `http://127.0.0.1:${port}/`
  }

  /** Closes connections without a call. */
  closeIdle(): void {
    this.#server.closeIdleConnections()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }

  #answer({ url = '' }: IncomingMessage, response: ServerResponse): void {
    const query = new URLSearchParams(url.split('?')[1])
    const name = query.get('name') ?? ''
    const line = (index: number): string => `${JSON.stringify({ name, text: `line ${index}` })}\n`
    response.setHeader('Content-Type', 'application/x-ndjson')
    if (query.get('follow') !== 'true') {
      for (let index = 0; index < logLength; index += 1) response.write(line(index))
      response.end()
      return
    }
    let index = 0
    const timer = setInterval(() => response.write(line((index += 1))), beatMs)
    response.once('close', () => {
      clearInterval(timer)
      this.#signals.give(`unfollowed ${name}`)
    })
    response.flushHeaders()
  }
}
