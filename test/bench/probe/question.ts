/** What probe.ts can be asked. */
export type Question = 'figures' | 'start-cpu' | 'stop-cpu' | 'start-heap' | 'stop-heap'

/** What a process knows of itself. All but the delay is since its start. */
export interface Figures {
  /** Allocated on the heap of the main thread; undefined on a V8 that does not count it. */
  readonly allocatedBytes: number | undefined
  readonly collections: {
    /** Of the young generation. */
    readonly young: number
    /** Of everything. */
    readonly old: number
    /** Time that the program stood still for them, milliseconds. */
    readonly pausedMs: number
  }
  /** How late the event loop's timers were since it was asked last, microseconds. */
  readonly delay: { readonly p50Us: number; readonly p99Us: number; readonly maxUs: number }
  readonly heapUsed: number
  readonly external: number
}
