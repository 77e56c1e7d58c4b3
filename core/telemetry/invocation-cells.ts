import type { Clock } from '../time/clock.ts'
import { FunctionCells, type CodePlaces } from './function-cells.ts'
import type { InvocationCounts } from './invocation-counts.ts'
import type { InvocationSeries } from './invocation-series.ts'
import type { Logger } from './logger.ts'
import type { MetricSource } from './metric-source.ts'
import { maxSeriesPerFamily } from './series/keyed-series.ts'
import { labelText } from './series/labels.ts'
import type { SeriesFamily } from './series/series-family.ts'
import { SeriesTable } from './series/series-table.ts'

/** How long series of functions that nobody knows are kept after the last call. */
export const forgetAfterMs = 60 * 60 * 1000
/** The series that counts a function's calls. */
export const invocationTotal = 'gateway_function_invocation_total'
const started = { type: 'counter', help: 'The total number of function HTTP requests started.' } as const
/** Upper bounds of buckets, in seconds: those of OpenFaaS. */
const bucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** What {@link InvocationCells} needs. */
export interface InvocationCellsDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Most pairs of function and status; calls beyond it are not counted. Default 20,000. */
  readonly maxSeries?: number
}

/**
 * Counts calls by function and status, as the OpenFaaS series. A function that the gateway no longer knows keeps its series
 * for an hour after its last call, so that a provider's hiccup does not reset counters.
 */
export class InvocationCells implements InvocationSeries, InvocationCounts, MetricSource {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #maxSeries: number
  readonly #functions = new Map<string, FunctionCells>()
  readonly #ended = tableOf({ name: invocationTotal, type: 'counter', help: 'Function metrics' })
  readonly #seconds = tableOf({ name: 'gateway_functions_seconds', type: 'histogram', help: 'Function time taken' })
  readonly #started = tableOf({ ...started, name: 'gateway_function_invocation_started' })
  readonly #startedTotal = tableOf({ ...started, name: 'gateway_function_invocation_started_total' })
  #saidFull = false

  constructor(deps: InvocationCellsDeps) {
    this.#clock = deps.clock
    this.#log = deps.log
    this.#maxSeries = deps.maxSeries ?? maxSeriesPerFamily
  }

  started(functionName: string): void {
    const cells = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    if (cells === undefined) return
    const places = (cells.startedAt ??= this.#addStarts(cells))
    cells.started += 1
    this.#started.count(places.bare, 1)
    this.#startedTotal.count(places.total, 1)
  }

  ended(functionName: string, code: number, seconds: number): void {
    const cells = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    if (cells === undefined) return
    cells.ended += 1
    const places = cells.byCode.get(code) ?? this.#addCode(cells, code)
    if (places === undefined) return
    this.#ended.count(places.ended, 1)
    this.#seconds.observe(places.seconds, seconds)
  }

  async totals(): Promise<ReadonlyMap<string, number>> {
    const totals = new Map<string, number>()
    for (const { name, ended } of this.#functions.values()) if (ended > 0) totals.set(name, ended)
    return totals
  }

  /** Forgets functions that `knows` denies and that were not called for an hour. Called before the series are read. */
  forgetUnknown(knows: (functionName: string) => boolean): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, cells] of this.#functions) {
      if (cells.wasUsed() || knows(name)) cells.wantedAtMs = nowMs
      else if (nowMs - cells.wantedAtMs > forgetAfterMs) this.#forget(cells)
    }
  }

  read(): readonly SeriesTable[] {
    return [this.#ended, this.#seconds, this.#started, this.#startedTotal]
  }

  #addFunction(name: string): FunctionCells | undefined {
    if (this.#isFull(this.#functions.size)) return undefined
    const cells = new FunctionCells(name, this.#clock.monotonicMs())
    this.#functions.set(name, cells)
    return cells
  }

  #addStarts({ name }: FunctionCells) {
    const labels = labelText('function_name', name)
    return { bare: this.#started.add(labels), total: this.#startedTotal.add(labels) }
  }

  #addCode({ name, byCode }: FunctionCells, code: number): CodePlaces | undefined {
    if (this.#isFull(this.#ended.size)) return undefined
    const labels = `${labelText('function_name', name)},code="${code}"`
    const places = { ended: this.#ended.add(labels), seconds: this.#seconds.add(labels) }
    byCode.set(code, places)
    return places
  }

  #isFull(count: number): boolean {
    if (count < this.#maxSeries) return false
    if (!this.#saidFull) {
      this.#log.warn('too many functions and statuses: calls of new ones are not counted', {
        maxSeries: this.#maxSeries,
      })
    }
    this.#saidFull = true
    return true
  }

  #forget({ name, startedAt, byCode }: FunctionCells): void {
    this.#functions.delete(name)
    if (startedAt !== undefined) {
      this.#started.remove(startedAt.bare)
      this.#startedTotal.remove(startedAt.total)
    }
    for (const { ended, seconds } of byCode.values()) {
      this.#ended.remove(ended)
      this.#seconds.remove(seconds)
    }
  }
}

function tableOf(family: Pick<SeriesFamily, 'name' | 'type' | 'help'>): SeriesTable {
  return new SeriesTable({ ...family, boundaries: family.type === 'histogram' ? bucketsSeconds : [], combine: 'add' })
}
