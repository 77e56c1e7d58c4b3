import type { Clock, Exchange, InvocationOutcome, InvocationSink, Logger } from '#core'
import { LineBudget } from './line-budget.ts'

const maxLoggedPath = 1_024

/** What {@link AccessLog} needs. */
export interface AccessLogDeps {
  readonly log: Logger
  readonly clock: Clock
  readonly options: {
    /** Most lines a second for calls that ended well, and as many again for the others; Infinity logs all. */
    readonly linesPerSecond: number
    /** Logs the query as well, which may hold secrets. */
    readonly withQuery: boolean
  }
}

/**
 * Writes a line for each call at its end, in the words that OpenFaaS users search for:
 * `Forwarded [POST] to /function/x - [200] - 0.0123s`. Seconds are from the forward to the end. Beyond the given number of
 * lines a second calls are left out; the next line says how many (`leftOut`).
 */
export class AccessLog implements InvocationSink {
  readonly #log: Logger
  readonly #well: LineBudget
  readonly #badly: LineBudget
  readonly #withQuery: boolean

  constructor(deps: AccessLogDeps) {
    this.#log = deps.log
    this.#well = new LineBudget(deps.clock, deps.options.linesPerSecond)
    this.#badly = new LineBudget(deps.clock, deps.options.linesPerSecond)
    this.#withQuery = deps.options.withQuery
  }

  completed(exchange: Exchange, outcome: InvocationOutcome): void {
    const budget = outcome.status < 500 ? this.#well : this.#badly
    if (budget.take()) this.#write(exchange, outcome, 'complete')
  }

  aborted(exchange: Exchange, outcome: InvocationOutcome): void {
    if (this.#badly.take()) this.#write(exchange, outcome, outcome.status === 499 ? 'client_gone' : 'truncated')
  }

  #write({ id, request, route, times }: Exchange, outcome: InvocationOutcome, end: string): void {
    const wasForwarded = times.forwardedMs > 0
    const seconds = (wasForwarded ? outcome.upstreamMs : outcome.totalMs) / 1000
    const verb = wasForwarded ? 'Forwarded' : 'Refused'
    const path = this.#pathOf(route.target)
    const leftOut = this.#well.leftOut() + this.#badly.leftOut()
    this.#log.info(`${verb} [${request.method}] to ${path} - [${outcome.status}] - ${seconds.toFixed(4)}s`, {
      callId: id,
      function: route.identity.key,
      status: outcome.status,
      bytes: outcome.bytesSent,
      seconds: roundedToMicroseconds(seconds),
      heldSeconds: roundedToMicroseconds(times.heldMs / 1000),
      end,
      ...(leftOut > 0 && { leftOut }),
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
