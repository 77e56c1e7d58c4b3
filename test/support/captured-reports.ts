import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

/** Listens in on a sidecar as one of its gateways, and keeps every report as it was sent. */
export class CapturedReports implements AsyncDisposable {
  readonly texts: string[] = []
  readonly #server: Server

  private constructor() {
    this.#server = createServer((request, response) => {
      const take = async (): Promise<void> => {
        this.texts.push(await text(request))
        response.end(JSON.stringify({ ttlMs: 1_000, acknowledged: 0, silent: 0 }))
      }
      take().catch(() => response.destroy())
    })
  }

  static async start(): Promise<CapturedReports> {
    const made = new CapturedReports()
    await new Promise<void>((resolve) => made.#server.listen(0, '127.0.0.1', resolve))
    return made
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}` // a TCP server's address is always of this type
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    this.#server.closeAllConnections()
    await closed
  }
}
