import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import type { InstanceReport } from '../../core/instances/instance-record.ts'
import { readReport } from '../../core/instances/signed-report.ts'

/** A report as it arrived. */
export interface ArrivedReport extends InstanceReport {
  readonly path: string
  readonly host: string
  readonly atMs: number
}

/** Answers a report; or does not. */
export type Answering = (response: ServerResponse, report: ArrivedReport) => void

/** How a stand-in begins. */
interface ReportGatewayOptions {
  readonly key?: string
  readonly answer?: Answering
  readonly tls?: { readonly cert: string; readonly key: string }
}

/** A stand-in for a gateway that takes reports of sidecars: keeps each, and answers as a test wants. */
export class ReportGateway implements AsyncDisposable {
  readonly key: string
  readonly reports: ArrivedReport[] = []
  /** Connections that were opened, ever. */
  connections = 0
  answer: Answering
  readonly #sockets = new Set<Socket>()
  readonly #server

  constructor({ key = 'the shared key', answer = taken(10_000), tls }: ReportGatewayOptions = {}) {
    this.key = key
    this.answer = answer
    const take: RequestListener = (message, response) => void this.#take(message, response)
    this.#server = tls === undefined ? createServer(take) : createSecureServer(tls, take)
    this.#server.on('connection', (socket) => {
      this.connections += 1
      this.#sockets.add(socket)
      socket.once('close', () => this.#sockets.delete(socket))
    })
  }

  static async start(options: ReportGatewayOptions & { host?: string; port?: number } = {}): Promise<ReportGateway> {
    const gateway = new ReportGateway(options)
    await gateway.listen(options.host, options.port)
    return gateway
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port // a TCP server's address is always of this type
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.port}`)
  }

  get phases(): readonly string[] {
    return this.reports.map(({ record }) => record.phase)
  }

  listen(host = '127.0.0.1', port = 0): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => resolve())
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve))
    for (const socket of this.#sockets) socket.destroy()
    await closed
  }

  async #take(message: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => undefined)
    try {
      const report = readReport(await text(message), this.key, Date.now())
      const arrived = { ...report, path: message.url ?? '', host: message.headers.host ?? '', atMs: performance.now() }
      this.reports.push(arrived)
      this.answer(response, arrived)
    } catch {
      response.destroy() // the sidecar has given the report up
    }
  }
}

/** Answers as a gateway that remembers instances for `ttlMs`. */
export function taken(ttlMs: number, fleet = { acknowledged: 0, silent: 0 }): Answering {
  return (response) =>
    void response.setHeader('content-type', 'application/json').end(JSON.stringify({ ttlMs, ...fleet }))
}

/** Answers with a status, and text. */
export function status(code: number, body = ''): Answering {
  return (response) => void response.writeHead(code).end(body)
}

/** Never answers. */
export const silence: Answering = () => undefined
