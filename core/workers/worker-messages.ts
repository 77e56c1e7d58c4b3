import type { ErrorCode } from '../errors/codes.ts'
import type { PortableConfig } from './portable-config.ts'

/** Topic of the questions that a supervisor asks a worker. */
export const lifecycleTopic = 'lifecycle'

/** Topic on which a worker says, every {@link heartbeatMs}, that it is alive. */
export const heartbeatTopic = 'heartbeat'

/** Pause between two heartbeats of a worker. */
export const heartbeatMs = 1_000

/** Topic on which a worker asks for its first question: it listens now. */
export const helloTopic = 'hello'

/** What a supervisor wants of a worker. */
export type WorkerCommand =
  | { readonly command: 'start'; readonly start: WorkerStart }
  /** Readiness off; traffic is served as before. */
  | { readonly command: 'announceDraining' }
  /** No new connections; answered when what was under way is finished, or cut because the time is over. */
  | { readonly command: 'drain'; readonly graceMs: number }
  /** Ends a drain under way: what is left is cut. */
  | { readonly command: 'cut' }
  /** Close everything; answered with the exit code, after which the process ends. */
  | { readonly command: 'close' }

/** With what a worker starts. */
export interface WorkerStart {
  readonly worker: number
  readonly config: PortableConfig
  /** The embedded provider that the supervisor runs for all workers. */
  readonly provider: PortableEndpoint | undefined
}

/** `ProviderEndpoint` as plain data. */
export interface PortableEndpoint {
  readonly url: string
  readonly authorization: string | undefined
}

/** How a start ended. */
export type WorkerStarted =
  | { readonly port: number }
  | { readonly failure: { readonly code: ErrorCode; readonly message: string } }

/** Why the worker wants no traffic; empty when it does. */
export interface Heartbeat {
  readonly reasons: readonly string[]
}
