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

/** Has a Service lead to the sidecar, by the name of its port, where it would lead to the function. */
export function serviceEdits(service: Service, ports: PodPorts): readonly Edit[] {
  return targetsOf(service).flatMap((target, at) =>
    isPast(target, ports) ? [{ kind: 'set' as const, path: ['spec', 'ports', at, 'targetPort'], value: 'http' }] : [],
  )
}

/** What to know of a Service that leads to the pod, and stays as it is. */
export function untouchedNote(service: Service, ports: PodPorts): string {
  const targets = targetsOf(service)
  if (targets.some((target) => isOfSidecar(target, ports))) {
    return `Service ${service.metadata.name} stays as it is: it leads to the sidecar`
  }
  const shown = targets.length === 0 ? 'no port' : targets.join(', ')
  return `Service ${service.metadata.name} stays as it is, and does not lead to the sidecar: its calls go to ${shown}`
}

function targetsOf({ spec }: Service): readonly (number | string)[] {
  return (spec.ports ?? []).map(({ port, targetPort }) => targetPort ?? port)
}

/** The name http is the sidecar's from now on, and so is the function's number when the function moves; any other name stays with it. */
function isOfSidecar(target: number | string, { before, ofSidecar }: PodPorts): boolean {
  return target === 'http' || (target === before && ofSidecar === before)
}

function isPast(target: number | string, ports: PodPorts): boolean {
  return (target === ports.before || target === ports.oldName) && !isOfSidecar(target, ports)
}
