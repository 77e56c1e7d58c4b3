import { z } from 'zod'
import { dnsLabel } from '../names.ts'

const texts = z.record(z.string(), z.string())

/** Decodes a {@link Namespace}. */
export const namespaceSchema = z.object({
  name: z.string().regex(dnsLabel, 'is no DNS label: lower-case letters, digits and "-", at most 63 of them'),
  labels: texts.nullish(),
  annotations: texts.nullish(),
})

/** A namespace of functions: OpenFaaS's FunctionNamespace. */
export type Namespace = z.infer<typeof namespaceSchema>
