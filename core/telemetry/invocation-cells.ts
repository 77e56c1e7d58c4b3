import type { DataPoint, Histogram, MetricData } from '@opentelemetry/sdk-metrics'
import type { Clock } from '../time/clock.ts'
import { CodeCell, FunctionCells } from './function-cells.ts'
import type { InvocationSeries } from './invocation-series.ts'
import type { Logger } from './logger.ts'
import { counterData, histogramData, toHrTime } from './metric-data.ts'
import type { MetricSource } from './metric-source.ts'

const forgetAfterMs = 60 * 60 * 1000
const startedHelp = 'The total number of function HTTP requests started.'

/** What {@link InvocationCells} needs. */
export interface InvocationCellsDeps {
  readonly clock: Clock
  readonly log: Logger
  /** Most pairs of function and status; calls beyond it are not counted. Default 20,000. */
  readonly maxSeries?: number
}

/**
 * Holds one cell per function and status and exports them as the OpenFaaS series. A function that the gateway no longer
 * knows keeps its series for an hour after its last call, so that a provider's hiccup does not reset counters.
 */
export class InvocationCells implements InvocationSeries, MetricSource {
  readonly #clock: Clock
  readonly #log: Logger
  readonly #maxSeries: number
  readonly #functions = new Map<string, FunctionCells>()
  #seriesCount = 0
  #saidFull = false

  constructor(deps: InvocationCellsDeps) {
    this.#clock = deps.clock
    this.#log = deps.log
    this.#maxSeries = deps.maxSeries ?? 20_000
  }

  started(functionName: string): void {
    const cells = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    if (cells !== undefined) cells.started += 1
  }

  ended(functionName: string, code: number, seconds: number): void {
    const cells = this.#functions.get(functionName) ?? this.#addFunction(functionName)
    if (cells === undefined) return
    cells.ended += 1
    const cell = cells.byCode.get(code) ?? this.#addCode(cells, code)
    cell?.record(seconds)
  }

  total(functionName: string): number {
    return this.#functions.get(functionName)?.ended ?? 0
  }

  /** Forgets functions that `knows` denies and that were not called for an hour. Called before a page is made. */
  forgetUnknown(knows: (functionName: string) => boolean): void {
    const nowMs = this.#clock.monotonicMs()
    for (const [name, cells] of this.#functions) {
      if (cells.wasUsed() || knows(name)) cells.wantedAtMs = nowMs
      else if (nowMs - cells.wantedAtMs > forgetAfterMs) this.#forget(cells)
    }
  }

  read(): readonly MetricData[] {
    const endTime = toHrTime(this.#clock.nowMs())
    const started: DataPoint<number>[] = []
    const ended: DataPoint<number>[] = []
    const seconds: DataPoint<Histogram>[] = []
    for (const cells of this.#functions.values()) {
      const { attributes, startTime } = cells
      if (cells.started > 0) started.push({ attributes, startTime, endTime, value: cells.started })
      for (const cell of cells.byCode.values()) {
        const point = { attributes: cell.attributes, startTime: cell.startTime, endTime }
        ended.push({ ...point, value: cell.value.count })
        seconds.push({ ...point, value: cell.value })
      }
    }
    return [
      counterData('gateway_function_invocation_total', 'Function metrics', ended),
      histogramData('gateway_functions_seconds', 'Function time taken', seconds),
      counterData('gateway_function_invocation_started', startedHelp, started),
      counterData('gateway_function_invocation_started_total', startedHelp, started),
    ]
  }

  #addFunction(name: string): FunctionCells | undefined {
    if (this.#isFull(this.#functions.size)) return undefined
    const cells = new FunctionCells(name, toHrTime(this.#clock.nowMs()), this.#clock.monotonicMs())
    this.#functions.set(name, cells)
    return cells
  }

  #addCode(cells: FunctionCells, code: number): CodeCell | undefined {
    if (this.#isFull(this.#seriesCount)) return undefined
    const cell = new CodeCell({ function_name: cells.name, code: String(code) }, toHrTime(this.#clock.nowMs()))
    cells.byCode.set(code, cell)
    this.#seriesCount += 1
    return cell
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

  #forget(cells: FunctionCells): void {
    this.#functions.delete(cells.name)
    this.#seriesCount -= cells.byCode.size
  }
}
