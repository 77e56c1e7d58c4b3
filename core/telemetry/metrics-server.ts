import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { drained } from '../http/drained.ts'
import type { Clock } from '../time/clock.ts'
import type { Logger } from './logger.ts'
import { prometheusTextType } from './prometheus-text.ts'

const defaultTimeoutMs = 5_000
const timeoutCheckMs = 1_000
const maxScrapes = 16
/** A turn of the event loop that takes longer has other work to do. */
const busyTurnMs = 0.1
/** How long a page rests then, in multiples of the time that a slice took: it takes a sixth of the time at most. */
const restPerSlice = 5
const maxConnections = 256
const plainText = 'text/plain; charset=utf-8'

/** What {@link MetricsServer} needs. */
export interface MetricsServerDeps {
  /** Where pages come from; `Metrics` fits. */
  readonly metrics: { page(): Promise<Iterable<Uint8Array>> }
  /** Why the gateway should not take traffic, one line each; empty when it should. */
  readonly readiness: () => readonly string[]
  readonly clock: Clock
  readonly log: Logger
  /** How long a client may take to send its request, to take its page, and to be idle. Milliseconds, default 5,000. */
  readonly timeoutMs?: number
}

/**
 * Serves `/metrics`, `/healthz` and `/readyz` on a port of its own, to GET and HEAD. Health is that of this process alone: it never
 * asks anybody. More than 16 scrapes at a time are refused.
 */
export class MetricsServer implements AsyncDisposable {
  readonly #deps: MetricsServerDeps
  readonly #timeoutMs: number
  readonly #server: Server
  #scrapes = 0
  #isClosing = false

  constructor(deps: MetricsServerDeps) {
    const timeoutMs = deps.timeoutMs ?? defaultTimeoutMs
    this.#deps = deps
    this.#timeoutMs = timeoutMs
    this.#server = createServer(
      {
        requestTimeout: timeoutMs,
        headersTimeout: timeoutMs,
        keepAliveTimeout: timeoutMs,
        connectionsCheckingInterval: Math.min(timeoutCheckMs, timeoutMs),
      },
      (request, response) => this.#answer(request, response),
    )
    this.#server.maxConnections = maxConnections
  }

  /**
   * Starts to serve.
   * @param port 0 takes any free one
   * @returns the port served on
   * @throws Error with a Node code when the port cannot be had
   */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen(port, host, () => {
        this.#server.off('error', reject)
        this.#server.on('error', (error) => this.#deps.log.error('the metrics server failed', { error }))
        resolve((this.#server.address() as AddressInfo).port) // a listening TCP server has this kind of address
      })
    })
  }

  /** Stops accepting and resolves when the answers under way are sent, or cut at their time limit. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosing = true
    if (!this.#server.listening) return
    // From its close on, the server no longer holds requests to their time limit.
    const limit = this.#deps.clock.after(this.#timeoutMs, () => this.#server.closeAllConnections())
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve())
      this.#server.closeIdleConnections()
    })
    limit[Symbol.dispose]()
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    if (this.#isClosing) response.setHeader('Connection', 'close')
    const path = request.url?.split('?', 1)[0]
    if (path !== '/metrics' && path !== '/healthz' && path !== '/readyz')
      answerText(response, 404, '404 page not found\n')
    else if (request.method !== 'GET' && request.method !== 'HEAD') answerText(response, 405, '')
    else if (path === '/healthz') answerText(response, 200, 'OK')
    else if (path === '/readyz') this.#answerReadiness(response)
    else void this.#answerPage(request, response)
  }

  #answerReadiness(response: ServerResponse): void {
    const reasons = this.#reasons()
    if (reasons.length === 0) answerText(response, 200, 'OK')
    else answerText(response, 503, `${reasons.join('\n')}\n`)
  }

  #reasons(): readonly string[] {
    try {
      return this.#deps.readiness()
    } catch (error) {
      this.#deps.log.error('readiness could not be told', { error })
      return ['readiness could not be told']
    }
  }

  async #answerPage(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (this.#scrapes >= maxScrapes) {
      answerText(response, 503, 'too many scrapes at a time\n')
      return
    }
    this.#scrapes += 1
    const limit = this.#deps.clock.after(this.#timeoutMs, () => response.destroy())
    response.once('close', () => {
      limit[Symbol.dispose]()
      this.#scrapes -= 1
      if (this.#isClosing) void setImmediate().then(() => this.#server.closeIdleConnections())
    })
    try {
      const slices = request.method === 'HEAD' ? [] : await this.#deps.metrics.page()
      response.writeHead(200, { 'Content-Type': prometheusTextType })
      await this.#send(response, slices)
    } catch (error) {
      this.#deps.log.error('no page of metrics could be made', { error })
      if (response.headersSent) response.destroy()
      else answerText(response, 500, 'the metrics could not be read\n')
    }
  }

  /**
   * Hands a page to the socket as the client takes it, a slice in a turn of the event loop: writing the whole of a long one at
   * once would stall everybody, and keep it in memory. Where others want the event loop as well, it rests between two slices, so that
   * the page is a little longer on its way and no call waits for all of it.
   */
  async #send(response: ServerResponse, slices: Iterable<Uint8Array>): Promise<void> {
    const { clock } = this.#deps
    let beganMs = clock.monotonicMs()
    for (const slice of slices) {
      const isTaken = response.write(slice)
      const endedMs = clock.monotonicMs()
      if (!isTaken) await drained(response)
      await setImmediate()
      const othersMs = clock.monotonicMs() - endedMs
      if (response.destroyed) return
      if (othersMs > busyTurnMs) await clock.sleep(restPerSlice * (endedMs - beganMs))
      beganMs = clock.monotonicMs()
    }
    response.end()
  }
}

function answerText(response: ServerResponse, status: number, text: string): void {
  const length = Buffer.byteLength(text)
  response.writeHead(
    status,
    length === 0 ? { 'Content-Length': 0 } : { 'Content-Type': plainText, 'Content-Length': length },
  )
  response.end(text)
}
