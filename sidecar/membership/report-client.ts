import { Agent, reportsPath, request, secureHttp } from '#core/lean'
import type { Answer } from './outcome.ts'

/** Where reports go: one address of a gateway. */
export interface ReportTarget {
  /** Base URL. Its host is sent as `Host`, and is the name that a certificate must have. */
  readonly url: URL
  /** IP address that is connected to. */
  readonly address: string
}

/** Most bytes of an answer's body. */
const maxAnswerBytes = 16 * 1024
const maxHeaderBytes = 16 * 1024

/** Sends reports to one address over a kept connection. Answers are bounded in size; time is limited by the caller. */
export class ReportClient implements Disposable {
  readonly #target: ReportTarget
  readonly #agent: Agent
  readonly #request: typeof request
  readonly #path: string

  constructor(target: ReportTarget) {
    const https = target.url.protocol === 'https:' ? secureHttp() : undefined
    const options = { keepAlive: true, maxSockets: 2, maxFreeSockets: 1 }
    this.#target = target
    this.#agent = https === undefined ? new Agent(options) : new https.Agent(options)
    this.#request = https?.request ?? request
    this.#path = target.url.pathname.replace(/\/*$/, '') + reportsPath
  }

  /**
   * Sends one report and resolves with the answer, whatever its status.
   * @throws Error when there is none, or it is too large; the signal's reason when that aborts first
   */
  async post(report: string, signal: AbortSignal): Promise<Answer> {
    try {
      return await this.#post(report, signal)
    } catch (error) {
      // The gateway closed the kept connection just before: nothing was said about the report, and a report may be sent twice.
      if (!(error instanceof StaleConnection)) throw error
      return this.#post(report, signal)
    }
  }

  /** Closes its connections; a report under way fails. */
  [Symbol.dispose](): void {
    this.#agent.destroy()
  }

  #post(report: string, signal: AbortSignal): Promise<Answer> {
    const { url, address } = this.#target
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        reject(signal.reason)
        return
      }
      const message = this.#request({
        agent: this.#agent,
        method: 'POST',
        host: address,
        port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
        path: this.#path,
        maxHeaderSize: maxHeaderBytes,
        headers: { host: url.host, 'content-type': 'text/plain', 'content-length': Buffer.byteLength(report) },
      })
      const give = (): void => void message.destroy()
      signal.addEventListener('abort', give, { once: true })
      const fail = (error: unknown): void => reject(signal.aborted ? signal.reason : error)
      message.once('close', () => {
        signal.removeEventListener('abort', give)
        fail(new Error('the connection was closed before the answer was whole'))
      })
      message.on('error', (error) => fail(message.reusedSocket && isBroken(error) ? new StaleConnection(error) : error))
      message.once('response', (response) => {
        const pieces: Buffer[] = []
        let size = 0
        response.on('error', fail)
        response.on('data', (piece: Buffer) => {
          size += piece.byteLength
          if (size <= maxAnswerBytes) pieces.push(piece)
          else message.destroy(new Error(`the answer has more than ${maxAnswerBytes} bytes`))
        })
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, text: Buffer.concat(pieces).toString('utf8') }),
        )
      })
      message.end(report)
    })
  }
}

function isBroken(error: NodeJS.ErrnoException): boolean {
  return error.code === 'ECONNRESET' || error.code === 'EPIPE'
}

/** A kept connection broke before an answer began. */
class StaleConnection extends Error {
  constructor(cause: Error) {
    super(cause.message, { cause })
  }
}
