/** What one run of directory-cost.ts is about. */
export interface DirectoryCase {
  readonly instances: number
  readonly perFunction: number
  /** Heartbeats and changes of each instance. */
  readonly rounds: number
}

/** What a report is to the directory: the first of its instance, one that says nothing new, or another phase. */
export type ReportKind = 'first' | 'heartbeat' | 'change'

/** What the directory costs. */
export interface DirectoryCost {
  /** On V8's heap. */
  readonly bytesPerInstance: number
  /** Of the time of every report: reading it and checking its signature. Microseconds. */
  readonly verifyUs: number
  /** Microseconds for a report, signature and the look-up of the next call included. */
  readonly us: Readonly<Record<ReportKind, number>>
}
