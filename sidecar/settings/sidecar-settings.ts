import type { FunctionSettings } from '../function/function-settings.ts'

/** What becomes of open streams when the instance leaves. */
export type StreamPolicy = 'finish' | 'cut'

/** Everything that a sidecar is told. Durations in milliseconds. */
export interface SidecarSettings {
  readonly instance: {
    readonly id: string
    /** Of the function. */
    readonly name: string
    /** Of the function; may be empty. */
    readonly namespace: string
    /** IP address under which gateways reach this instance. */
    readonly address: string
  }
  readonly listen: {
    /** For both ports; empty is all addresses. */
    readonly host: string
    /** For calls of the function; 0 takes any free one. */
    readonly port: number
    /** For health, metrics and load; 0 takes any free one. */
    readonly adminPort: number
    /** Whether `/drain` is there on the port for health. */
    readonly hasDrainPath: boolean
    /** Longest time from the first byte of a request to the last of its body; 0 is no limit. */
    readonly readTimeoutMs: number
    /** Folder with the certificates for mutual TLS with gateways on the port for calls; empty is plain HTTP. */
    readonly certificates: string
  }
  readonly calls: {
    /** Most at a time; 0 is no limit. */
    readonly limit: number
    /** Longest time of one; 0 is no limit. */
    readonly timeoutMs: number
    /** Most that wait for a slot here. */
    readonly queueLength: number
    /** Longest wait of one. */
    readonly queueTimeoutMs: number
    /** Share of calls without trace context whose new one says `sampled`; undefined gives them none. 0 to 1. */
    readonly sampledRatio: number | undefined
  }
  readonly membership: {
    readonly gateways: readonly URL[]
    /** Of this instance, made of the key of the gateways; empty when there is none. */
    readonly secret: string
  }
  readonly leaving: {
    /** Longest time for what is under way. */
    readonly gracePeriodMs: number
    /** Goes on until so long no call has come that was sent without knowing better. */
    readonly quietPeriodMs: number
    readonly streams: StreamPolicy
    /** Whether the end of standard input is a reason: the parent process is gone. */
    readonly withParent: boolean
  }
  /** Path on the function's server, or URL, of its own metrics; empty for none. */
  readonly functionMetrics: string
  readonly function: FunctionSettings
}
