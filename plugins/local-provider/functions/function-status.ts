import type { FunctionStatus } from '#core'
import type { StoredFunction } from './stored-function.ts'

/** What a function's processes use now. */
export interface Usage {
  /** Thousandths of a core, over the time since the last question (at first: since the start). */
  readonly cpu: number
  readonly totalMemoryBytes: number
}

/** What the processes of a function say about it. */
export interface RunningFacts {
  readonly availableReplicas: number
  /** Why replicas are missing, or empty. */
  readonly reason: string
  readonly usage?: Usage | undefined
}

/** Writes a function as OpenFaaS's providers do: fields without a value are left out. `reason` is an addition. */
export function toFunctionStatus(
  { deployment, replicas, createdAt }: StoredFunction,
  facts: RunningFacts,
): FunctionStatus {
  const { service, envVars, constraints, secrets, labels, annotations, limits, requests, ...rest } = deployment
  return {
    name: service,
    image: deployment.image,
    namespace: deployment.namespace,
    ...(rest.envProcess ? { envProcess: rest.envProcess } : {}),
    ...present({ envVars, labels, annotations, limits, requests }),
    ...(constraints?.length ? { constraints } : {}),
    ...(secrets?.length ? { secrets } : {}),
    ...(rest.readOnlyRootFilesystem ? { readOnlyRootFilesystem: true } : {}),
    replicas,
    availableReplicas: facts.availableReplicas,
    createdAt,
    ...(facts.usage === undefined ? {} : { usage: facts.usage }),
    ...(facts.reason === '' ? {} : { reason: facts.reason }),
  }
}

function present(maps: Readonly<Record<string, object | null | undefined>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(maps).filter(([, map]) => map && Object.keys(map).length > 0))
}
