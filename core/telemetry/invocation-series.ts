import { token } from '../container/token.ts'

/**
 * This process's own count of forwarded calls, by function and status: what the OpenFaaS series are made of. `InvocationCounts`
 * tells how many there were.
 *
 * Recording is for the request path: no allocation but for the first call of a function or status. Callers decide which names
 * may become series; what is recorded here is exported.
 */
export interface InvocationSeries {
  /** Counts a call that was handed to its upstream. */
  started(functionName: string): void
  /** Counts a forwarded call that ended; `seconds` from its forward to its end. */
  ended(functionName: string, code: number, seconds: number): void
}

/** Token of the {@link InvocationSeries}. */
export const InvocationSeries = token<InvocationSeries>('InvocationSeries')
