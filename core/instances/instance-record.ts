/**
 * What an instance of a function is doing, by the word of its sidecar.
 * - `starting`: the function does not accept yet, and never has
 * - `ready`: takes calls
 * - `unready`: has taken calls, and does not now
 * - `leaving`: takes no new calls; those it has are finished
 */
export type InstancePhase = 'starting' | 'ready' | 'unready' | 'leaving'

/** One instance of a function, as its sidecar describes it. Immutable; a record of a larger revision replaces it. */
export interface InstanceRecord {
  /** Unique to this start of this instance: 1 to 128 letters, digits, `.`, `_` or `-`. */
  readonly id: string
  /** Of the function. */
  readonly name: string
  /** Of the function; may be empty. */
  readonly namespace: string
  /** IP address without brackets. */
  readonly address: string
  /** Where calls of the function go. */
  readonly port: number
  /** Where health, metrics and load are read; 0 when that is reachable from within the instance only. */
  readonly adminPort: number
  /** Whether `port` wants TLS with a certificate of the gateway. */
  readonly secure: boolean
  /** Most calls at a time; 0 is no limit. */
  readonly limit: number
  readonly phase: InstancePhase
  /** Grows with every change of the record: microseconds of the Unix epoch at least. */
  readonly revision: number
}

/** What an instance has to do, at the time it said so. */
export interface InstanceLoad {
  /** Calls that the function works on, streams and upgraded connections included. */
  readonly inFlight: number
  /** Calls that wait in the sidecar. */
  readonly queued: number
  /** Of those in flight: event streams and upgraded connections. */
  readonly streams: number
  /** Milliseconds since a call last began or ended; 0 while one is in flight. */
  readonly idleForMs: number
}

/** What a sidecar sends to gateways: at every change, and as a heartbeat. */
export interface InstanceReport {
  readonly record: InstanceRecord
  readonly load: InstanceLoad
  /** Wall clock of the sidecar, milliseconds since the Unix epoch. */
  readonly sentAtMs: number
}
