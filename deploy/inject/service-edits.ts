import type { Edit } from './edit.ts'
import type { Deployment, Service } from './kubernetes-objects.ts'
import type { PodPorts } from './pod-ports.ts'

/** Whether a Service leads to the pods of a Deployment. */
export function leadsTo(service: Service, { metadata, spec }: Deployment): boolean {
  const selector = Object.entries(service.spec.selector ?? {})
  const labels = spec.template.metadata.labels ?? {}
  return (
    (service.metadata.namespace ?? '') === (metadata.namespace ?? '') &&
    selector.length > 0 &&
    selector.every(([name, value]) => labels[name] === value)
  )
}

/** Has a Service lead to the sidecar, by the name of its port, where it has led to the function. */
export function serviceEdits({ spec }: Service, ports: PodPorts): readonly Edit[] {
  if (ports.ofSidecar === ports.before) return []
  return (spec.ports ?? []).flatMap(({ port, targetPort }, at) =>
    (targetPort ?? port) === ports.before
      ? [{ kind: 'set' as const, path: ['spec', 'ports', at, 'targetPort'], value: 'http' }]
      : [],
  )
}
