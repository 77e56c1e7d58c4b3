import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type InstanceReport, readReport, reportsPath } from '#core'
import { machineMs } from '../../support/machine-clock.ts'
import { instanceKey } from './instance-key.ts'

/** A report, and the instant of the machine's clock at which its last byte was here. */
export interface HeardReport {
  readonly report: InstanceReport
  readonly atMs: number
}

/** How long a report holds, as gateways say it by default. */
const ttlMs = 10_000

/** Takes reports of sidecars as a gateway does, and keeps them. */
export class ReportSink implements AsyncDisposable {
  readonly heard: HeardReport[] = []
  readonly #server: Server
  #onReport: (heard: HeardReport) => void = () => {}

  private constructor() {
    this.#server = createServer((request, response) => {
      const pieces: Buffer[] = []
      request.on('data', (piece: Buffer) => pieces.push(piece))
      request.once('end', () => {
        const atMs = machineMs()
        const isReport = request.method === 'POST' && request.url === reportsPath
        if (isReport) this.#take(Buffer.concat(pieces).toString(), atMs)
        response.writeHead(isReport ? 200 : 404, { 'content-type': 'application/json' })
        response.end(JSON.stringify({ ttlMs, acknowledged: 0, silent: 0 }))
      })
    })
  }

  static async start(): Promise<ReportSink> {
    const sink = new ReportSink()
    await new Promise<void>((resolve) => sink.#server.listen(0, '127.0.0.1', resolve))
    return sink
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo // a TCP server's address
    return `http://127.0.0.1:${port}`
  }

  /** Resolves with the first report that is as wanted, heard already or still to come. */
  first(isWanted: (report: InstanceReport) => boolean): Promise<HeardReport> {
    const known = this.heard.find(({ report }) => isWanted(report))
    if (known !== undefined) return Promise.resolve(known)
    return new Promise((resolve) => {
      this.#onReport = (heard) => {
        if (isWanted(heard.report)) resolve(heard)
      }
    })
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections()
    await new Promise((resolve) => this.#server.close(resolve))
  }

  #take(text: string, atMs: number): void {
    const heard = { report: readReport(text, instanceKey, Date.now()), atMs }
    this.heard.push(heard)
    this.#onReport(heard)
  }
}
