import {
  type Clock,
  type InstanceLoad,
  type InstancePhase,
  prometheusText,
  prometheusTextType,
  type Reply,
  type SeriesTable,
  textReply,
} from '#core/lean'
import type { CallMetrics } from '../inbound/call-metrics.ts'
import type { Reservations } from '../inbound/reservations.ts'
import type { FunctionPage } from './function-page.ts'
import { counterOf, gauge, type ProcessSeries, single } from './process-series.ts'
import { TimedReply } from './timed-reply.ts'

/** What the page shows. */
export interface MetricsPageDeps {
  readonly clock: Clock
  readonly calls: CallMetrics
  readonly process: ProcessSeries
  readonly reservations: Reservations
  readonly load: () => InstanceLoad
  readonly phase: () => InstancePhase
  /** Most calls at a time; 0 is no limit. */
  readonly limit: number
  /** The function's own page; undefined when nobody said where it is. */
  readonly functionPage: FunctionPage | undefined
  /** Labels that every series has, as text. */
  readonly base: string
}

/** Each of them may hold a page of megabytes until its reader has taken it. */
const maxReplies = 4
/** As long as Prometheus waits for a page. */
const replyTimeoutMs = 10_000
const headers = { 'Content-Type': prometheusTextType }

const families = {
  inFlight: gauge('calls_in_flight', 'Calls that the function works on, streams included.'),
  queued: gauge('calls_queued', 'Calls that wait here for a slot.'),
  streams: gauge('streams_open', 'Event streams and upgraded connections among the calls in flight.'),
  idle: gauge('idle_seconds', 'Time since a call last began or ended; 0 while one is in flight.'),
  limit: gauge('slots_limit', 'Most calls at a time; 0 is no limit.'),
  reserved: gauge('slots_reserved', 'Slots that a gateway was given and has not used yet.'),
  given: counterOf('slots_given_total', 'Slots that were given to gateways.'),
  expired: counterOf('slots_expired_total', 'Slots that a gateway was given and did not use in time.'),
  ready: gauge('function_ready', '1 while calls are taken, 0 while they are not.'),
  page: gauge('function_page_up', "1 when the function's own metrics could be read for this page, 0 when not."),
}

/**
 * One page with the sidecar's own metrics, then the function's. Callers that ask at the same time share one page; few replies are under
 * way at a time, each for a limited time, because anybody who reaches the port could ask and not read.
 */
export class MetricsPage {
  readonly #deps: MetricsPageDeps
  #replies = 0
  #reading: Promise<Buffer> | undefined

  constructor(deps: MetricsPageDeps) {
    this.#deps = deps
  }

  /** Reads everything, or answers 503 while too many others still take their page. */
  async reply(): Promise<Reply> {
    if (this.#replies >= maxReplies) {
      return textReply(503, 'others are taking the page; try again\n', { 'Retry-After': '1' })
    }
    this.#replies += 1
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
    })
    const body = await this.#reading
    const reply = new TimedReply({ clock: this.#deps.clock, timeoutMs: replyTimeoutMs, headers, body })
    reply.onEnd(() => {
      this.#replies -= 1
    })
    return reply
  }

  async #read(): Promise<Buffer> {
    const { functionPage, base, calls, process } = this.#deps
    const part = await functionPage?.read()
    const page = part === undefined ? [] : [single(families.page, base, part.isThere ? 1 : 0)]
    const own = [...calls.read(), ...this.#now(), ...page, ...process.read()]
    return Buffer.concat([...prometheusText(own), Buffer.from(part?.text ?? '')])
  }

  #now(): readonly SeriesTable[] {
    const { base, limit, load, phase, reservations } = this.#deps
    const { inFlight, queued, streams, idleForMs } = load()
    const { open, made, expired } = reservations.counts
    return [
      single(families.inFlight, base, inFlight),
      single(families.queued, base, queued),
      single(families.streams, base, streams),
      single(families.idle, base, idleForMs / 1000),
      single(families.limit, base, limit),
      single(families.reserved, base, open),
      single(families.given, base, made),
      single(families.expired, base, expired),
      single(families.ready, base, phase() === 'ready' ? 1 : 0),
    ]
  }
}
