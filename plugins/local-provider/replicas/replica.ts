import type { GatewayRequest, Reply } from '#core'

/** One call for a replica. */
export interface FunctionCall {
  readonly request: GatewayRequest
  /** Raw path and query below the function's name: empty, or starting with `/` or `?`. */
  readonly rest: string
}

/** One running copy of a function. Order: start -> answer* -> stop. */
export interface Replica {
  /** Unique name, as logs and status show it. */
  readonly instance: string
  /** Whether it takes calls now. */
  readonly isReady: boolean
  /** Why it does not run although it should; empty when nothing is wrong. */
  readonly reason: string
  /** Processes that belong to it now, by the group they lead. */
  readonly groups: readonly number[]
  /** Begins to run. `onChange` is called whenever `isReady` or `reason` may have changed. */
  start(onChange: () => void): void
  /**
   * Answers one call.
   * @throws GatewayError as a Forwarder; Refusal for what the watchdog refuses
   */
  answer(call: FunctionCall): Promise<Reply>
  /** Takes no further call, finishes those it has within its grace, then ends its processes. Never rejects. */
  stop(): Promise<void>
}
