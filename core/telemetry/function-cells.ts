import type { Attributes } from '@opentelemetry/api'
import type { Histogram } from '@opentelemetry/sdk-metrics'
import type { HrTime } from './metric-data.ts'

/** Upper bounds, in seconds, of the buckets of `gateway_functions_seconds`: those of OpenFaaS. */
export const invocationSecondsBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The counts of one function. */
export class FunctionCells {
  readonly name: string
  readonly attributes: Attributes
  readonly startTime: HrTime
  readonly byCode = new Map<number, CodeCell>()
  started = 0
  ended = 0
  /** Monotonic time at which the function was last seen called or known. */
  wantedAtMs: number
  #seenEnded = 0

  constructor(name: string, startTime: HrTime, wantedAtMs: number) {
    this.name = name
    this.attributes = { function_name: name }
    this.startTime = startTime
    this.wantedAtMs = wantedAtMs
  }

  /** Whether calls ended since this was last asked, or are under way. */
  wasUsed(): boolean {
    const isUsed = this.ended !== this.#seenEnded || this.started > this.ended
    this.#seenEnded = this.ended
    return isUsed
  }
}

/** The count and durations of one function's calls that ended with one status. */
export class CodeCell {
  readonly attributes: Attributes
  readonly startTime: HrTime
  /** In the SDK's shape, so that an export needs no copy. */
  readonly value: Histogram

  constructor(attributes: Attributes, startTime: HrTime) {
    this.attributes = attributes
    this.startTime = startTime
    const counts = Array.from({ length: invocationSecondsBuckets.length + 1 }, () => 0)
    this.value = { buckets: { boundaries: [...invocationSecondsBuckets], counts }, sum: 0, count: 0 }
  }

  /** Adds one call of `seconds`. */
  record(seconds: number): void {
    const { value } = this
    const { counts } = value.buckets
    let bucket = 0
    while (bucket < invocationSecondsBuckets.length && seconds > (invocationSecondsBuckets[bucket] ?? 0)) bucket += 1
    counts[bucket] = (counts[bucket] ?? 0) + 1
    value.count += 1
    value.sum = (value.sum ?? 0) + seconds
  }
}
