import { z } from 'zod'
import { Refusal } from './refusal.ts'

const texts = z.record(z.string(), z.string()).nullish()

const metadata = z.looseObject({
  name: z.string().default(''),
  namespace: z.string().nullish(),
  labels: texts,
  annotations: texts,
})

const containerPort = z.looseObject({
  name: z.string().nullish(),
  containerPort: z.int(),
  hostPort: z.int().nullish(),
  protocol: z.string().nullish(),
})

const container = z.looseObject({
  name: z.string(),
  ports: z.array(containerPort).nullish(),
  env: z.array(z.looseObject({ name: z.string(), value: z.string().nullish() })).nullish(),
  lifecycle: z.looseObject({}).nullish(),
})

const deployment = z.object({
  metadata,
  spec: z.object({
    template: z.object({
      metadata: metadata.prefault({}),
      spec: z.object({
        hostNetwork: z.boolean().nullish(),
        terminationGracePeriodSeconds: z.number().nullish(),
        initContainers: z.array(container).nullish(),
        containers: z.array(container),
        volumes: z.array(z.looseObject({ name: z.string() })).nullish(),
      }),
    }),
  }),
})

const service = z.object({
  metadata,
  spec: z.object({
    selector: texts,
    ports: z.array(z.looseObject({ port: z.int(), targetPort: z.union([z.int(), z.string()]).nullish() })).nullish(),
  }),
})

/** A Deployment, as far as it is read here. */
export type Deployment = z.infer<typeof deployment>
/** A container of a pod, as far as it is read here. */
export type Container = z.infer<typeof container>
/** A port of a container. */
export type ContainerPort = z.infer<typeof containerPort>
/** A Service, as far as it is read here. */
export type Service = z.infer<typeof service>

/** Reads a Deployment. @throws Refusal that names the first field that is not as Kubernetes has it */
export function toDeployment(value: unknown): Deployment {
  return read(deployment, value, 'Deployment')
}

/** Reads a Service. @throws Refusal that names the first field that is not as Kubernetes has it */
export function toService(value: unknown): Service {
  return read(service, value, 'Service')
}

function read<T>(schema: z.ZodType<T>, value: unknown, kind: string): T {
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const [issue] = result.error.issues
  const named = z.object({ metadata: z.object({ name: z.string() }) }).safeParse(value)
  const name = named.success ? ` ${named.data.metadata.name}` : ''
  throw new Refusal(`${kind}${name}: ${issue?.path.join('.')}: ${issue?.message}`)
}
