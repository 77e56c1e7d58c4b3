import { below, type Path } from './edit.ts'
import type { InjectOptions } from './inject-options.ts'
import { toDeployment, toService, type Deployment } from './kubernetes-objects.ts'
import { planInjection, type Injection } from './plan-injection.ts'
import { leadsTo, serviceEdits, untouchedNote } from './service-edits.ts'
import { YamlStream } from './yaml-stream.ts'

/** Manifests with sidecars in them, and what whoever applies them should know. */
export interface Injected {
  readonly text: string
  readonly notes: readonly string[]
}

/** An object of the text: alone in its document, or an item of a list. */
interface Found {
  readonly document: number
  readonly path: Path
  readonly value: { readonly kind?: unknown }
}

/** A function that gets its sidecar. */
interface Injecting {
  readonly found: Found
  readonly deployment: Deployment
  readonly injection: Injection
}

/**
 * Adds the sidecar to every function of a text of manifests, and has Services of the same text lead to it. Everything else stays as it is;
 * of its own result it changes nothing.
 *
 * @throws Refusal when the text is no YAML, or one of the functions cannot have a sidecar: then none of them gets one
 */
export function inject(text: string, options: InjectOptions): Injected {
  const stream = new YamlStream(text)
  const objects = stream.values.flatMap(objectsOf)
  const notes: string[] = []
  const injecting = objects.flatMap((found) => planned(found, options, notes))
  const services = objects.filter(({ value }) => value.kind === 'Service')
  for (const one of injecting) {
    stream.edit(
      one.found.document,
      one.injection.edits.map((edit) => below(one.found.path, edit)),
    )
    notes.push(...one.injection.notes.map((note) => `${nameOf(one.deployment)}: ${note}`))
    notes.push(...redirect(stream, services, one))
  }
  if (injecting.length === 0) notes.push('nothing to do: no Deployment of a function without a sidecar')
  return { text: stream.toString(), notes }
}

function objectsOf(value: unknown, document: number): readonly Found[] {
  if (typeof value !== 'object' || value === null) return []
  if ('items' in value && Array.isArray(value.items)) {
    return value.items.flatMap((item: unknown, at) =>
      typeof item === 'object' && item !== null ? [{ document, path: ['items', at], value: item }] : [],
    )
  }
  return [{ document, path: [], value }]
}

function planned(found: Found, options: InjectOptions, notes: string[]): readonly Injecting[] {
  if (found.value.kind !== 'Deployment') return []
  const deployment = toDeployment(found.value)
  if (!options.takesAll && deployment.metadata.labels?.['faas_function'] === undefined) return []
  const injection = planInjection(deployment, options)
  if (injection !== undefined) return [{ found, deployment, injection }]
  notes.push(`${nameOf(deployment)}: has a sidecar, and stays as it is`)
  return []
}

function redirect(
  stream: YamlStream,
  services: readonly Found[],
  { deployment, injection }: Injecting,
): readonly string[] {
  const { ports } = injection
  const leading = services
    .map((found) => ({ found, service: toService(found.value) }))
    .filter(({ service }) => leadsTo(service, deployment))
  const name = nameOf(deployment)
  const notes = leading.flatMap(({ found, service }) => {
    const edits = serviceEdits(service, ports)
    stream.edit(
      found.document,
      edits.map((edit) => below(found.path, edit)),
    )
    return edits.length === 0 ? [`${name}: ${untouchedNote(service, ports)}`] : []
  })
  if (leading.length > 0 || ports.ofSidecar === ports.before) return notes
  return [`${name}: ${serviceAdvice(deployment)}`]
}

function serviceAdvice({ metadata }: Deployment): string {
  const namespace = metadata.namespace ? ` -n ${metadata.namespace}` : ''
  const patch = '[{"op":"add","path":"/spec/ports/0/targetPort","value":"http"}]'
  return `its Service is not among the manifests; lead it to the sidecar: kubectl patch service ${metadata.name}${namespace} --type json -p '${patch}'`
}

function nameOf({ metadata }: Deployment): string {
  return metadata.namespace ? `${metadata.name}.${metadata.namespace}` : metadata.name
}
