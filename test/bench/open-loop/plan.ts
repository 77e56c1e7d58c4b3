/** Calls at a fixed rate: what open-loop/generator.ts is told. */
export interface OpenLoad {
  readonly url: string
  readonly connections: number
  readonly perSecond: number
  readonly seconds: number
  /** The first seconds, which do not count; within `seconds`. */
  readonly warmUpSeconds: number
  /** Paths that are called in turn. */
  readonly paths: readonly string[]
}

/** What the callers saw: of the calls that count, from the instant at which each was due. Microseconds. */
export interface OpenLoadResult {
  /** Calls that count. */
  readonly requests: number
  /** Answers other than 200, and calls without one, which are in none of the other figures. */
  readonly failures: number
  readonly p50Us: number
  readonly p95Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly maxUs: number
  /** How much later than due calls were handed over by the generator itself: the noise of the method. */
  readonly lateP50Us: number
  readonly lateP99Us: number
}
