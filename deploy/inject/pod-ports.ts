import type { Container, ContainerPort, Deployment } from './kubernetes-objects.ts'
import { Refusal } from './refusal.ts'

/** Which port is whose, once a sidecar is in the pod. */
export interface PodPorts {
  /** Index of the function's container. */
  readonly container: number
  /** Index of the function's port in its list; undefined when it declares none. */
  readonly entry: number | undefined
  /** Where the function has listened so far. */
  readonly before: number
  /** Where it listens from now on. */
  readonly ofFunction: number
  /** Where the sidecar takes calls. */
  readonly ofSidecar: number
  /** Where the sidecar answers about itself. */
  readonly ofAdmin: number
  /** What the function's port has been called so far. */
  readonly oldName: ContainerPort['name']
  /** What the function's port is called from now on; undefined leaves its name. */
  readonly newName: string | undefined
}

/** Where OpenFaaS's watchdogs listen unless the variable `port` says otherwise. */
const watchdogPort = 8080
/** Where they serve their metrics, which nobody declares. */
const watchdogMetricsPort = 8081
const callCandidates = [8080, 8090, 8091, 8092, 8093, 8094]
const adminCandidates = [8082, 8083, 8084, 8085, 8086, 8087]

/**
 * Decides who listens where.
 * @param functionPort where the function shall listen; undefined leaves it where it is
 * @throws Refusal when it cannot be told what the function's port is, or there is no room for the sidecar
 */
export function decidePorts(deployment: Deployment, functionPort: number | undefined): PodPorts {
  const { name } = deployment.metadata
  const { at, container, entry, declared } = functionOf(deployment)
  const before = declared?.containerPort ?? portVariable(container) ?? watchdogPort
  const ofFunction = functionPort ?? before
  const taken = new Set([watchdogMetricsPort, before, ...allContainers(deployment).flatMap(portsOf)])
  if (ofFunction !== before && taken.has(ofFunction)) {
    throw new Refusal(`${name}: port ${ofFunction} is taken: choose another --function-port`)
  }
  const ofSidecar = ofFunction === before ? free(name, callCandidates, taken) : before
  return {
    container: at,
    entry,
    before,
    ofFunction,
    ofSidecar,
    ofAdmin: free(name, adminCandidates, new Set([...taken, ofFunction, ofSidecar])),
    oldName: declared?.name,
    newName: newName(container, declared),
  }
}

function allContainers({ spec }: Deployment): readonly Container[] {
  const { containers, initContainers } = spec.template.spec
  return [...containers, ...(initContainers ?? [])]
}

/** The function's container and port, and where they are in their lists. */
interface Found {
  readonly at: number
  readonly container: Container
  readonly entry: number | undefined
  readonly declared: ContainerPort | undefined
}

function functionOf(deployment: Deployment): Found {
  const { name } = deployment.metadata
  const pod = deployment.spec.template.spec
  if (pod.hostNetwork === true)
    throw new Refusal(`${name}: hostNetwork: the ports of a sidecar would be ports of the node`)
  const at = functionContainer(deployment)
  const container = pod.containers[at]
  if (container === undefined) throw new Refusal(`${name}: has no container`)
  if (allContainers(deployment).some((one) => one !== container && hasHttpPort(one))) {
    throw new Refusal(`${name}: another container has a port named http, which the sidecar's is to be called`)
  }
  const entry = functionEntry(name, container)
  const declared = entry === undefined ? undefined : container.ports?.[entry]
  checkPort(name, declared)
  return { at, container, entry, declared }
}

function hasHttpPort({ ports }: Container): boolean {
  return ports?.some((port) => port.name === 'http') === true
}

/** By its name, which is that of the function; else by being the only one, or the only one with a port named http. */
function functionContainer({ metadata, spec }: Deployment): number {
  const { containers } = spec.template.spec
  const name = metadata.labels?.['faas_function'] ?? metadata.name
  const named = containers.findIndex((one) => one.name === name)
  if (named !== -1) return named
  if (containers.length === 1) return 0
  const serving = containers.flatMap((one, at) => (hasHttpPort(one) ? [at] : []))
  if (serving.length === 1 && serving[0] !== undefined) return serving[0]
  throw new Refusal(`${metadata.name}: which container is the function? Name one "${name}", or its port http`)
}

function functionEntry(name: string, { ports }: Container): number | undefined {
  const list = ports ?? []
  const named = list.findIndex((port) => port.name === 'http')
  if (named !== -1) return named
  if (list.length > 1) throw new Refusal(`${name}: which port is the function's? Name it http`)
  return list.length === 1 ? 0 : undefined
}

function checkPort(name: string, port: ContainerPort | undefined): void {
  if (port?.hostPort !== undefined && port.hostPort !== null) {
    throw new Refusal(`${name}: hostPort ${port.hostPort} leads past a sidecar: remove it`)
  }
  if ((port?.protocol ?? 'TCP') !== 'TCP')
    throw new Refusal(`${name}: the function's port is ${port?.protocol}, not TCP`)
}

function portsOf(container: Container): readonly number[] {
  const listed = (container.ports ?? []).map((port) => port.containerPort)
  const variable = portVariable(container)
  return variable === undefined ? listed : [...listed, variable]
}

function portVariable({ env }: Container): number | undefined {
  const value = env?.find((one) => one.name === 'port')?.value ?? ''
  return /^\d{1,5}$/.test(value) ? Number(value) : undefined
}

function free(name: string, candidates: readonly number[], taken: ReadonlySet<number>): number {
  const port = candidates.find((one) => !taken.has(one))
  if (port === undefined) throw new Refusal(`${name}: the pod has no port left of ${candidates.join(', ')}`)
  return port
}

/** The name http is the sidecar's from now on. Names of ports are unique in a pod, as far as the documentation goes. */
function newName({ ports }: Container, declared: ContainerPort | undefined): string | undefined {
  if (declared?.name !== 'http') return undefined
  const names = new Set(ports?.map((port) => port.name))
  return names.has('function') ? 'function-http' : 'function'
}
