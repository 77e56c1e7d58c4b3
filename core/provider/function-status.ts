/**
 * A function as a provider describes it (contract of the OpenFaaS provider API, object FunctionStatus). Unknown fields
 * are kept, so that a newer provider's facts pass through.
 */
export interface FunctionStatus {
  readonly name: string
  readonly namespace?: string
  readonly image?: string
  /** Desired replicas. */
  readonly replicas?: number
  /** Replicas that can take traffic now. Some providers leave it out of lists. */
  readonly availableReplicas?: number
  readonly invocationCount?: number
  readonly labels?: Readonly<Record<string, string>> | null
  readonly annotations?: Readonly<Record<string, string>> | null
  readonly createdAt?: string
  readonly [field: string]: unknown
}
