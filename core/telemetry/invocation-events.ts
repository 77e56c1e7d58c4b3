import { token } from '../container/token.ts'
import type { Exchange } from '../pipeline/exchange.ts'

/** How a call of a function ended, as observers see it. */
export interface InvocationOutcome {
  /** Status the client got, or would have got: 499 when it left first. */
  readonly status: number
  /** Bytes of the body handed to the client. */
  readonly bytesSent: number
  /** Milliseconds from the (last) forward to the end; 0 when it was never forwarded. */
  readonly upstreamMs: number
  /** Milliseconds from the receipt of the head to the end, hold included. */
  readonly totalMs: number
}

/**
 * Receives what happens to calls. Every method is called synchronously on the request path: it must be quick and must
 * not throw (what it throws is logged and dropped).
 */
export interface InvocationSink {
  /** The call was handed to its upstream, after any hold. */
  started?(exchange: Exchange): void
  /** The call waits because its function is not ready. */
  held?(exchange: Exchange): void
  /** A held call goes on, `heldMs` milliseconds later. */
  woken?(exchange: Exchange, heldMs: number): void
  /** The call ended with a whole answer. */
  completed?(exchange: Exchange, outcome: InvocationOutcome): void
  /** The client left, or the answer was cut off. */
  aborted?(exchange: Exchange, outcome: InvocationOutcome): void
}

/** Where calls are announced and observers subscribe. */
export interface InvocationEvents extends Required<InvocationSink> {
  subscribe(sink: InvocationSink): Disposable
}

/** Token of the {@link InvocationEvents}. */
export const InvocationEvents = token<InvocationEvents>('InvocationEvents')
