import {
  BufferReply,
  GatewayError,
  HttpListener,
  isOutdated,
  jsonReply,
  replicaHost,
  reportsPath,
  textReply,
  type Clock,
  type GatewayRequest,
  type Logger,
  type Reply,
} from '#core'
import type { ReportDesk } from './report-desk.ts'

/** Several times the longest report. */
const maxReportBytes = 16 * 1024
const limits = {
  maxHeaderBytes: 16 * 1024,
  maxHeaderLines: 100,
  replayBodyBytes: maxReportBytes,
  readTimeoutMs: 60_000,
}

/**
 * Where sidecars report: `POST` of {@link reportsPath}. It has a port of its own, so that the last sidecar is still heard when the
 * provider takes no more calls.
 */
export class ReportServer implements AsyncDisposable {
  readonly #desk: ReportDesk
  readonly #listener: HttpListener

  constructor(deps: { desk: ReportDesk; clock: Clock; log: Logger }) {
    this.#desk = deps.desk
    this.#listener = new HttpListener({
      handle: (request) => this.#handle(request),
      ...limits,
      onFailure: (err) => deps.log.error('a report of a sidecar could not be taken', { err }),
      onError: (err) => deps.log.error('a connection of a sidecar could not be accepted', { err }),
      clock: deps.clock,
    })
  }

  /** @returns base URL for the sidecars */
  async listen(): Promise<URL> {
    const port = await this.#listener.listen(replicaHost, 0)
    return new URL(`http://${replicaHost}:${port}/`)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#listener[Symbol.asyncDispose]()
  }

  /** @throws GatewayError for what the desk does not take, but for what is out of date */
  async #handle(request: GatewayRequest): Promise<Reply> {
    if (request.target !== reportsPath) return new BufferReply(404)
    if (request.method !== 'POST') return new BufferReply(405, { Allow: 'POST' })
    const text = await request.body.bytes(maxReportBytes)
    try {
      return jsonReply(200, await this.#desk.take(text.toString('utf8')))
    } catch (error) {
      if (!isOutdated(error)) throw error
      return textReply(409, `${GatewayError.from(error).message}\n`)
    }
  }
}
