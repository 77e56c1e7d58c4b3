/** What a gateway has while nobody calls it, all its processes together. */
export interface Sample {
  /** Acts that were begun before it. */
  readonly acts: number
  /** How many processes it is. */
  readonly processes: number
  /** After a forced collection, in bytes. */
  readonly heapBytes: number
  /** Memory of buffers, after a forced collection, in bytes. */
  readonly bufferBytes: number
  /** Open file descriptors. */
  readonly descriptors: number
  /** What keeps the event loop alive, by kind, as Node.js names it. */
  readonly resources: Counted
  /** Objects that are no garbage, by class. */
  readonly objects: Counted
  /** Gauges and counters of the metrics page that must be even when nobody calls. */
  readonly unfinished: Counted
}

/** Numbers by name. */
export type Counted = Readonly<Record<string, number>>

/** Adds up, name by name. */
export function sumOf(parts: readonly Counted[]): Counted {
  const sum: Record<string, number> = {}
  for (const part of parts) for (const [name, count] of Object.entries(part)) sum[name] = (sum[name] ?? 0) + count
  return sum
}
