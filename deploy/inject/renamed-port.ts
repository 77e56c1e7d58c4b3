import type { Edit, Path } from './edit.ts'
import type { Container } from './kubernetes-objects.ts'
import type { PodPorts } from './pod-ports.ts'

/** What may name a port of its own container. */
const askers: readonly Path[] = [
  ['livenessProbe', 'httpGet', 'port'],
  ['livenessProbe', 'tcpSocket', 'port'],
  ['livenessProbe', 'grpc', 'port'],
  ['readinessProbe', 'httpGet', 'port'],
  ['readinessProbe', 'tcpSocket', 'port'],
  ['readinessProbe', 'grpc', 'port'],
  ['startupProbe', 'httpGet', 'port'],
  ['startupProbe', 'tcpSocket', 'port'],
  ['startupProbe', 'grpc', 'port'],
  ['lifecycle', 'postStart', 'httpGet', 'port'],
  ['lifecycle', 'preStop', 'httpGet', 'port'],
]

/** Gives the function's port its new name and number, wherever its container says the old ones. Paths are those of the container. */
export function renamedPort(container: Container, ports: PodPorts): readonly Edit[] {
  const { entry, before, ofFunction, newName } = ports
  const edits: Edit[] = []
  if (entry !== undefined && newName !== undefined) {
    edits.push({ kind: 'set', path: ['ports', entry, 'name'], value: newName })
  }
  if (entry !== undefined && ofFunction !== before) {
    edits.push({ kind: 'set', path: ['ports', entry, 'containerPort'], value: ofFunction })
  }
  for (const path of askers) {
    const asked = valueAt(container, path)
    if (asked === 'http' && newName !== undefined) edits.push({ kind: 'set', path, value: newName })
    if (asked === before && ofFunction !== before) edits.push({ kind: 'set', path, value: ofFunction })
  }
  return edits
}

function valueAt(value: unknown, [key, ...rest]: Path): unknown {
  if (key === undefined) return value
  if (typeof value !== 'object' || value === null) return undefined
  return valueAt((value as Readonly<Record<string, unknown>>)[key], rest) // any object has texts as keys
}
