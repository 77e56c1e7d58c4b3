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
  /** Whether it has room for one call more, as far as this provider knows: others send calls too. */
  readonly hasRoom: boolean
  /** Why it does not run although it should, when that was last asked; empty when nothing is wrong. */
  readonly reason: string
  /** Processes that belong to it now, by the group they lead. */
  readonly groups: readonly number[]
  /** Begins to run. `onChange` is called whenever `isReady` or `reason` may have changed. */
  start(onChange: () => void): void
  /** Asks anew what keeps it from being ready. Takes a moment at most, and never rejects. */
  explain(): Promise<void>
  /**
   * Answers one call.
   * @throws GatewayError as a Forwarder; Refusal for a call that it did not let in: 429 when it is full, else 503
   */
  answer(call: FunctionCall): Promise<Reply>
  /** Takes no further call, finishes those it has within its grace, then ends its processes. Never rejects. */
  stop(): Promise<void>
}
