import { z } from 'zod'
import { Refusal } from '../refusal.ts'
import { dnsLabel } from '../names.ts'

const maxSecrets = 64

const texts = z.record(z.string(), z.string())
const variables = z.record(
  z.string().regex(/^[A-Za-z_][-\w.]*$/, 'is no name of an environment variable'),
  z.string().refine((value) => !value.includes('\0'), 'contains a NUL character'),
)
const resources = z.looseObject({ memory: z.string().optional(), cpu: z.string().optional() })
const name = z.string().regex(dnsLabel, 'is no DNS label: lower-case letters, digits and "-", at most 63 of them')
const image = z
  .string()
  .max(512)
  .regex(/^[\w./:@-]+$/, 'is no image name')

/** What a client deploys: the fields of OpenFaaS's FunctionDeployment. Fields that it does not have are dropped. */
export const deploymentSchema = z.object({
  service: name,
  image,
  namespace: z.union([z.literal(''), name]).optional(),
  envProcess: z
    .string()
    .refine((value) => !value.includes('\0'), 'contains a NUL character')
    .optional(),
  envVars: variables.nullish(),
  constraints: z.array(z.string()).nullish(),
  secrets: z.array(name).max(maxSecrets).nullish(),
  labels: texts.nullish(),
  annotations: texts.nullish(),
  limits: resources.nullish(),
  requests: resources.nullish(),
  readOnlyRootFilesystem: z.boolean().nullish(),
})

/** A decoded deployment whose namespace is known. */
export type Deployment = z.infer<typeof deploymentSchema> & { readonly namespace: string }

/**
 * Decodes the body of a deploy or update.
 * @throws Refusal 400 with every fault and its path
 */
export function decodeDeployment(body: unknown, defaultNamespace: string): Deployment {
  const decoded = deploymentSchema.safeParse(body)
  if (!decoded.success) throw new Refusal(400, describeFaults(decoded.error))
  return { ...decoded.data, namespace: decoded.data.namespace || defaultNamespace }
}

/** Says what is wrong with a body, one fault after the other. */
export function describeFaults(error: z.ZodError): string {
  return error.issues.map(({ path, message }) => `${path.join('.') || 'body'}: ${message}`).join('; ')
}
