import type { Exchange, InvocationOutcome, InvocationSink, Logger, Random } from '#core'

const maxLoggedPath = 1_024

/** What {@link AccessLog} needs. */
export interface AccessLogDeps {
  readonly log: Logger
  readonly random: Random
  readonly options: {
    /** Share of the calls that ended well which is logged, 0 to 1. Failed and aborted ones always are. */
    readonly sampleRatio: number
    /** Logs the query as well, which may hold secrets. */
    readonly withQuery: boolean
  }
}

/**
 * Writes a line for each call at its end, in the words that OpenFaaS users search for:
 * `Forwarded [POST] to /function/x - [200] - 0.0123s`. Seconds are from the forward to the end.
 */
export class AccessLog implements InvocationSink {
  readonly #log: Logger
  readonly #random: Random
  readonly #sampleRatio: number
  readonly #withQuery: boolean

  constructor(deps: AccessLogDeps) {
    this.#log = deps.log
    this.#random = deps.random
    this.#sampleRatio = deps.options.sampleRatio
    this.#withQuery = deps.options.withQuery
  }

  completed(exchange: Exchange, outcome: InvocationOutcome): void {
    if (outcome.status < 500 && !this.#isSampled()) return
    this.#write(exchange, outcome, 'complete')
  }

  aborted(exchange: Exchange, outcome: InvocationOutcome): void {
    this.#write(exchange, outcome, outcome.status === 499 ? 'client_gone' : 'truncated')
  }

  #isSampled(): boolean {
    return this.#sampleRatio === 1 || this.#random() < this.#sampleRatio
  }

  #write({ id, request, route, times }: Exchange, outcome: InvocationOutcome, end: string): void {
    const wasForwarded = times.forwardedMs > 0
    const seconds = (wasForwarded ? outcome.upstreamMs : outcome.totalMs) / 1000
    const verb = wasForwarded ? 'Forwarded' : 'Refused'
    const path = this.#pathOf(route.target)
    this.#log.info(`${verb} [${request.method}] to ${path} - [${outcome.status}] - ${seconds.toFixed(4)}s`, {
      callId: id,
      function: route.identity.key,
      status: outcome.status,
      bytes: outcome.bytesSent,
      seconds: roundedToMicroseconds(seconds),
      heldSeconds: roundedToMicroseconds(times.heldMs / 1000),
      end,
    })
  }

  #pathOf(target: string): string {
    const queryAt = this.#withQuery ? -1 : target.indexOf('?')
    const path = queryAt === -1 ? target : target.slice(0, queryAt)
    return path.length > maxLoggedPath ? `${path.slice(0, maxLoggedPath)}...` : path
  }
}

function roundedToMicroseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1e6
}
