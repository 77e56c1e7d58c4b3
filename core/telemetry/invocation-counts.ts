import { token } from '../container/token.ts'

/** How often functions were called, in all processes of this gateway. */
export interface InvocationCounts {
  /** Ended calls of each function, all statuses, by `name.namespace`; functions never called are missing. Never rejects. */
  totals(): Promise<ReadonlyMap<string, number>>
}

/** Token of the {@link InvocationCounts}. */
export const InvocationCounts = token<InvocationCounts>('InvocationCounts')
