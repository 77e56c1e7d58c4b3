import { parseDuration } from '../../core/config/duration.ts'
import { below, type Edit, type Path } from './edit.ts'
import type { InjectOptions } from './inject-options.ts'
import type { Container, Deployment } from './kubernetes-objects.ts'
import { decidePorts, type PodPorts } from './pod-ports.ts'
import { Refusal } from './refusal.ts'
import { renamedPort } from './renamed-port.ts'
import { sidecarContainer, sidecarName, sidecarVolumes } from './sidecar-container.ts'

/** What becomes of one Deployment. */
export interface Injection {
  readonly edits: readonly Edit[]
  readonly ports: PodPorts
  /** What whoever applies it should know. */
  readonly notes: readonly string[]
}

const podPath: Path = ['spec', 'template', 'spec']
const defaultGraceSeconds = 30
/** For what the grace period does not hold: the hooks, and the end of the function itself. */
const marginSeconds = 15
const defaultTerminationSeconds = 30

/**
 * Plans how a function gets its sidecar. Returns undefined when it has one.
 * @throws Refusal when it cannot have one
 */
export function planInjection(deployment: Deployment, options: InjectOptions): Injection | undefined {
  const { name } = deployment.metadata
  const pod = deployment.spec.template.spec
  if ([...pod.containers, ...(pod.initContainers ?? [])].some((one) => one.name === sidecarName)) return undefined
  const ports = decidePorts(deployment, options.functionPort)
  const ofFunction = pod.containers[ports.container]
  if (ofFunction === undefined) throw new Refusal(`${name}: has no container`)
  const gracePeriodSeconds = graceSecondsOf(ofFunction)
  const sidecar = sidecarContainer({ deployment, ofFunction, ports, gracePeriodSeconds, options })
  const hook = preStopEdits(ofFunction, ports)
  return {
    ports,
    edits: [
      ...functionEdits(ofFunction, ports),
      ...hook.edits,
      {
        kind: 'append',
        path: [...podPath, options.form === 'native' ? 'initContainers' : 'containers'],
        value: sidecar,
      },
      ...volumeEdits(deployment, options),
      ...terminationEdits(deployment, gracePeriodSeconds + marginSeconds),
    ],
    notes: [...portNotes(ports), ...hook.notes],
  }
}

/** As long as the longest call, if that is known. */
function graceSecondsOf({ env }: Container): number {
  const valueOf = (name: string): string => env?.find((one) => one.name === name)?.value ?? ''
  const callMs = parseDuration(valueOf('exec_timeout')) || parseDuration(valueOf('write_timeout')) || 0
  return Math.max(defaultGraceSeconds, Math.ceil(callMs / 1000))
}

/** The function's port loses the name http to the sidecar, and may move. */
function functionEdits(container: Container, ports: PodPorts): readonly Edit[] {
  const path: Path = [...podPath, 'containers', ports.container]
  const hasMoved = ports.ofFunction !== ports.before
  const edits = renamedPort(container, ports).map((edit) => below(path, edit))
  if (!hasMoved) return edits
  const at = container.env?.findIndex((one) => one.name === 'port') ?? -1
  const variable = { name: 'port', value: String(ports.ofFunction) }
  edits.push(
    at === -1
      ? { kind: 'append', path: [...path, 'env'], value: variable }
      : { kind: 'set', path: [...path, 'env', at], value: variable },
  )
  return edits
}

/**
 * The function is told to stop only when the sidecar has finished its calls: the node's agent asks the sidecar, whose answer comes when it
 * has. That needs no program in the function's image.
 */
function preStopEdits({ lifecycle }: Container, ports: PodPorts): { edits: readonly Edit[]; notes: readonly string[] } {
  if (lifecycle?.['preStop'] !== undefined && lifecycle['preStop'] !== null) {
    return {
      edits: [],
      notes: ['the function has a preStop hook of its own, which stays: see that it takes as long as its calls do'],
    }
  }
  const path: Path = [...podPath, 'containers', ports.container, 'lifecycle', 'preStop']
  return { edits: [{ kind: 'set', path, value: { httpGet: { path: '/drain', port: ports.ofAdmin } } }], notes: [] }
}

function volumeEdits({ metadata, spec }: Deployment, { keySecret }: InjectOptions): readonly Edit[] {
  const names = new Set(spec.template.spec.volumes?.map((one) => one.name))
  return sidecarVolumes(keySecret).map((value) => {
    if (names.has(String(value['name'])))
      throw new Refusal(`${metadata.name}: has a volume ${String(value['name'])} already`)
    return { kind: 'append', path: [...podPath, 'volumes'], value }
  })
}

function terminationEdits({ spec }: Deployment, least: number): readonly Edit[] {
  const before = spec.template.spec.terminationGracePeriodSeconds ?? defaultTerminationSeconds
  return before >= least ? [] : [{ kind: 'set', path: [...podPath, 'terminationGracePeriodSeconds'], value: least }]
}

function portNotes({ before, ofFunction, ofSidecar, ofAdmin }: PodPorts): readonly string[] {
  const stays = ofFunction === before ? `the function stays on ${ofFunction}` : `the function moves to ${ofFunction}`
  return [`${stays}; the sidecar takes calls on ${ofSidecar}, its own pages are on ${ofAdmin}`]
}
