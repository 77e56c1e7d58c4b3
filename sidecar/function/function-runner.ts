import type { GatewayRequest, HeaderList, Reply } from '#core/lean'

/** One call that was let in. */
export interface FunctionCall {
  /** Its target is the path and query that the function sees. */
  readonly request: GatewayRequest
  /** What the function is sent as headers: end-to-end ones only. */
  readonly headers: HeaderList
  /** Longest time until the last byte of the answer (of an upgrade: until its head), milliseconds; 0 is no limit. */
  readonly timeoutMs: number
}

/**
 * The function beside the sidecar: a server that somebody else runs, a server process, or a program forked per call.
 *
 * Order: start -> answer* -> stop -> asyncDispose. How many calls there are at a time is the caller's business.
 */
export interface FunctionRunner extends AsyncDisposable {
  /** Whether the function accepts calls now. */
  readonly isReady: boolean
  /** Why it does not although it should; empty when nothing is wrong. Safe to show. */
  readonly reason: string
  /** `http://host:port` of the function's server; undefined while there is none. For the function's own page of metrics. */
  readonly origin: string | undefined
  /** Begins. `onChange` is called whenever `isReady` or `reason` may have changed. */
  start(onChange: () => void): void
  /**
   * Answers one call that was let in.
   * @throws GatewayError as a Forwarder
   */
  answer(call: FunctionCall): Promise<Reply>
  /**
   * Ends the function, when its calls are over: SIGTERM, after `graceMs` SIGKILL; of a server it only fronts: nothing. A second call
   * with less grace counts. Never rejects.
   */
  stop(graceMs: number): Promise<void>
}
