import { KeyedSeries, labelText, type Refusal, type SeriesFamily, type SeriesTable } from '#core/lean'

/** Why a call did not get to the function. */
export type NotLetIn = Refusal | 'queue_full' | 'queue_timeout'

const seconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

const families = {
  calls: counter(
    'calls_total',
    'Calls that reached the function, by status of the answer; 499 when the caller left before it.',
  ),
  cut: counter(
    'calls_cut_total',
    'Answers that ended early: the caller left (client_gone), or the function broke off (truncated).',
  ),
  refused: counter('calls_refused_total', 'Calls that were not let in, by reason.'),
  duration: histogram('call_seconds', 'Time from letting a call in to the last byte of its answer; streams included.'),
  queueing: histogram(
    'queue_seconds',
    'Time that calls of callers other than gateways waited for a slot, those that got one.',
  ),
} satisfies Readonly<Record<string, SeriesFamily>>

/** Counts what happens to calls. Recording allocates nothing once a series is there. */
export class CallMetrics {
  readonly #base: string
  readonly #calls = new KeyedSeries(families.calls)
  readonly #cut = new KeyedSeries(families.cut)
  readonly #refused = new KeyedSeries(families.refused)
  readonly #duration = new KeyedSeries(families.duration)
  readonly #queueing = new KeyedSeries(families.queueing)
  readonly #durationAt: number
  readonly #queueingAt: number
  /** Places of the series of each status: labels are written once. */
  readonly #callsAt = new Map<number, number>()

  /** @param base labels that every series has, as text */
  constructor(base: string) {
    this.#base = base
    this.#durationAt = this.#duration.add(base)
    this.#queueingAt = this.#queueing.add(base)
  }

  /** A call was answered by the function, or in place of it. */
  answered(status: number): void {
    let at = this.#callsAt.get(status)
    if (at === undefined) {
      at = this.#calls.add(`${this.#base},${labelText('code', String(status))}`)
      this.#callsAt.set(status, at)
    }
    this.#calls.table.count(at, 1)
  }

  /** A call is over. */
  ended(durationMs: number): void {
    this.#duration.table.observe(this.#durationAt, durationMs / 1000)
  }

  /** An answer ended early. */
  cut(how: 'client_gone' | 'truncated'): void {
    this.#count(this.#cut, 'reason', how)
  }

  /** A call was not let in. */
  refused(reason: NotLetIn): void {
    this.#count(this.#refused, 'reason', reason)
  }

  /** A call has waited for its slot. */
  queued(waitedMs: number): void {
    this.#queueing.table.observe(this.#queueingAt, waitedMs / 1000)
  }

  /** The series as they stand. */
  read(): readonly SeriesTable[] {
    return [this.#calls, this.#cut, this.#refused, this.#duration, this.#queueing].map(({ table }) => table)
  }

  #count(series: KeyedSeries, label: string, value: string): void {
    const labels = `${this.#base},${labelText(label, value)}`
    series.table.count(series.find(labels) ?? series.add(labels), 1)
  }
}

function counter(name: string, help: string): SeriesFamily {
  return { name: `pilotlight_sidecar_${name}`, help, type: 'counter', boundaries: [], combine: 'add' }
}

function histogram(name: string, help: string): SeriesFamily {
  return { name: `pilotlight_sidecar_${name}`, help, type: 'histogram', boundaries: seconds, combine: 'add' }
}
