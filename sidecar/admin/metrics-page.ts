import {
  BufferReply,
  type InstanceLoad,
  type InstancePhase,
  prometheusText,
  prometheusTextType,
  type Reply,
  type SeriesTable,
} from '#core/lean'
import type { CallMetrics } from '../inbound/call-metrics.ts'
import type { Reservations } from '../inbound/reservations.ts'
import type { FunctionPage } from './function-page.ts'
import { counterOf, gauge, type ProcessSeries, single } from './process-series.ts'

/** What the page shows. */
export interface MetricsPageDeps {
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

/** One page with the sidecar's own metrics, then the function's. */
export class MetricsPage {
  readonly #deps: MetricsPageDeps

  constructor(deps: MetricsPageDeps) {
    this.#deps = deps
  }

  /** Reads everything. Never rejects. */
  async reply(): Promise<Reply> {
    const { functionPage, base, calls, process } = this.#deps
    const part = await functionPage?.read()
    const page = part === undefined ? [] : [single(families.page, base, part.isThere ? 1 : 0)]
    const own = [...calls.read(), ...this.#now(), ...page, ...process.read()]
    const body = Buffer.concat([...prometheusText(own), Buffer.from(part?.text ?? '')])
    return new BufferReply(200, { 'Content-Type': prometheusTextType }, body)
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
