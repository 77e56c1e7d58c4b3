import { z } from 'zod'
import { deploymentSchema, type Deployment } from './deployment.ts'

/** What of a function outlives the gateway. */
export interface StoredFunction {
  readonly deployment: Deployment
  /** Replicas that are wanted. */
  readonly replicas: number
  /** RFC 3339. */
  readonly createdAt: string
}

/** Decodes a {@link StoredFunction}. */
export const storedFunctionSchema = z.object({
  deployment: deploymentSchema.extend({ namespace: z.string().min(1) }),
  replicas: z.number().int().nonnegative(),
  createdAt: z.string(),
})
