import { backoffDelayMs, type Clock, type HttpClient, type Logger, type Random } from '#core'
import { z } from 'zod'
import { countQuery } from './count-query.ts'

const maxAnswerBytes = 16 * 1024 * 1024
const maxPauseMs = 60_000

/** What {@link PrometheusCounts} needs. */
export interface PrometheusCountsDeps {
  readonly http: HttpClient
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly options: {
    /** Base URL; user and password in it become basic auth. */
    readonly url: URL
    readonly timeoutMs: number
    /** First pause after a failure; 0 for none. */
    readonly pauseMs: number
    readonly userAgent: string
  }
}

/**
 * Asks Prometheus how often functions were called. Whatever is wrong with Prometheus costs the counts and nothing else: a
 * failure is an undefined result within the time-out, and after one, nobody waits for another until a pause is over.
 *
 * Concurrency: callers with the same namespaces share one query.
 */
export class PrometheusCounts {
  readonly #deps: PrometheusCountsDeps
  readonly #url: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #inFlight = new Map<string, Promise<ReadonlyMap<string, number> | undefined>>()
  #failures = 0
  #retryAtMs = 0

  constructor(deps: PrometheusCountsDeps) {
    const { url, userAgent } = deps.options
    this.#deps = deps
    this.#url = new URL(`${url.pathname.replace(/\/$/, '')}/api/v1/query`, url.origin)
    this.#headers = { accept: 'application/json', 'user-agent': userAgent, ...basicAuth(url) }
  }

  /**
   * Returns the calls by `name.namespace` of the functions in `namespaces`, or undefined when Prometheus does not tell. Values
   * that are no counts are left out.
   */
  async in(namespaces: Iterable<string>): Promise<ReadonlyMap<string, number> | undefined> {
    const query = countQuery(namespaces)
    const running = this.#inFlight.get(query)
    if (running !== undefined) return running
    if (this.#deps.clock.monotonicMs() < this.#retryAtMs) return undefined
    const asked = this.#ask(query).finally(() => this.#inFlight.delete(query))
    this.#inFlight.set(query, asked)
    return asked
  }

  async #ask(query: string): Promise<ReadonlyMap<string, number> | undefined> {
    const { http, options } = this.#deps
    const url = new URL(this.#url)
    url.searchParams.set('query', query)
    try {
      const answer = await http.request({ method: 'GET', url, headers: this.#headers, timeoutMs: options.timeoutMs })
      const text = await answer.text(maxAnswerBytes)
      if (answer.status !== 200) throw new Error(`Prometheus answered ${answer.status}`)
      const counts = decodeCounts(text)
      this.#succeeded()
      return counts
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  #succeeded(): void {
    if (this.#failures > 0) this.#deps.log.info('Prometheus answers again; its counts are used')
    this.#failures = 0
  }

  #failed(error: unknown): void {
    const { clock, random, log, options } = this.#deps
    this.#failures += 1
    const backoff = { firstMs: options.pauseMs, maxMs: maxPauseMs, factor: 2, jitterRatio: 0.2 }
    this.#retryAtMs = clock.monotonicMs() + backoffDelayMs(backoff, this.#failures, random)
    if (this.#failures === 1) log.warn("Prometheus gives no counts; the gateway's own are used", { error })
  }
}

const answerSchema = z.object({
  status: z.literal('success'),
  data: z.object({
    resultType: z.literal('vector'),
    result: z.array(
      z.object({
        metric: z.object({ function_name: z.string().optional() }),
        value: z.tuple([z.number(), z.string()]),
      }),
    ),
  }),
})

/** @throws Error when the text is not the answer to an instant query */
function decodeCounts(text: string): ReadonlyMap<string, number> {
  const counts = new Map<string, number>()
  for (const { metric, value } of answerSchema.parse(JSON.parse(text)).data.result) {
    const count = Number(value[1])
    if (metric.function_name !== undefined && Number.isFinite(count) && count >= 0)
      counts.set(metric.function_name, count)
  }
  return counts
}

function basicAuth({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === '' && password === '') return {}
  const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` }
}
