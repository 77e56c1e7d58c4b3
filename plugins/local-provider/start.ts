import {
  PortAllocator,
  type Clock,
  type Forwarder,
  type HttpClient,
  type InstanceRegistry,
  type Logger,
  type Random,
  type ReadinessAnnouncer,
} from '#core'
import { Announcements } from './announcements/announcements.ts'
import { builtInRecipes } from './catalogue/built-in.ts'
import { Catalogue } from './catalogue/catalogue.ts'
import { FunctionTable } from './functions/function-table.ts'
import { RevisionFactory } from './functions/revision-factory.ts'
import { sampleDeployments } from './functions/samples.ts'
import { LocalProvider } from './local-provider.ts'
import type { LocalProviderOptions } from './options.ts'
import type { ReplicaDeps } from './replicas/replica-deps.ts'
import { ReplicaProcesses } from './replicas/replica-processes.ts'
import { SidecarProgram } from './replicas/sidecar-program.ts'
import { ReportDesk } from './reports/report-desk.ts'
import { ReportServer } from './reports/report-server.ts'
import type { Authorization } from './server/authorization.ts'
import { NamespaceTable } from './state/namespace-table.ts'
import { SecretStore } from './state/secret-store.ts'
import { StateDirectory } from './state/state-directory.ts'
import { StateFile } from './state/state-file.ts'
import { StateLock } from './state/state-lock.ts'

/** What a local provider is started with. */
export interface LocalProviderDeps {
  readonly clock: Clock
  readonly random: Random
  readonly forwarder: Forwarder
  readonly http: HttpClient
  /** Told of every report of the sidecars, and answers for it. */
  readonly instances: InstanceRegistry
  /** Told of functions that take calls, where `instances` does not see to that. */
  readonly announcer?: ReadinessAnnouncer
  readonly log: Logger
}

/** What a local provider takes over from the gateway that embeds it, or from the command that runs it alone. */
export interface LocalProviderFacts {
  /** Namespace of functions that are named without one. */
  readonly defaultNamespace: string
  /** Milliseconds until the last byte of a request; 0 is no limit. */
  readonly readTimeoutMs: number
  /** Who may manage functions. */
  readonly authorization: Authorization
  /** What sidecars sign their reports with. */
  readonly instanceKey: string
  /** Gateways that sidecars report to besides the provider; they have the same key. */
  readonly gateways?: readonly URL[]
  /** Program and arguments of a sidecar. Default: that of this installation. */
  readonly sidecar?: readonly string[]
}

/**
 * Starts a provider: takes the state directory, ends what a killed gateway left behind, runs again what was deployed, and
 * listens on loopback.
 *
 * @throws Error when the state directory is in use or cannot be written, or the port is taken; nothing is left running then
 */
export async function startLocalProvider(
  options: LocalProviderOptions,
  facts: LocalProviderFacts,
  deps: LocalProviderDeps,
): Promise<LocalProvider> {
  const directory =
    options.stateDirectory === undefined ? StateDirectory.default() : new StateDirectory(options.stateDirectory)
  const lock = await StateLock.take(directory)
  const provider = await assembleOrRelease(directory, lock, { options, facts, deps })
  try {
    await provider.listen(options.port)
    return provider
  } catch (error) {
    await provider[Symbol.asyncDispose]()
    throw error
  }
}

async function assembleOrRelease(
  directory: StateDirectory,
  lock: StateLock,
  given: Pick<Parts, 'options' | 'facts' | 'deps'>,
): Promise<LocalProvider> {
  let processes: ReplicaProcesses | undefined
  try {
    processes = takeProcesses(directory, given.options, given.deps)
    return assemble({ directory, lock, processes, ...given })
  } catch (error) {
    processes?.[Symbol.dispose]()
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

function takeProcesses(
  directory: StateDirectory,
  { maxProcesses }: LocalProviderOptions,
  { clock, log }: LocalProviderDeps,
): ReplicaProcesses {
  const processes = new ReplicaProcesses(directory, { clock, maxProcesses })
  const { orphans } = processes
  if (orphans.length > 0) log.warn('function processes of a killed gateway were ended', { pids: orphans })
  return processes
}

interface Parts {
  readonly directory: StateDirectory
  readonly lock: StateLock
  readonly processes: ReplicaProcesses
  readonly options: LocalProviderOptions
  readonly facts: LocalProviderFacts
  readonly deps: LocalProviderDeps
}

function assemble(parts: Parts): LocalProvider {
  const { directory, lock, processes, options, facts, deps } = parts
  const { clock, announcer, log } = deps
  const file = new StateFile(directory.stateFile, { clock, log })
  const stored = file.load()
  const namespaces = new NamespaceTable(facts.defaultNamespace, stored.namespaces)
  const secrets = new SecretStore(directory)
  const { replicas, program, desk } = sidecarsOf(parts)
  const revisions = new RevisionFactory({
    catalogue: new Catalogue([...options.catalogue, ...builtInRecipes]),
    directory,
    secrets,
    replicas,
    settings: { path: options.path, startTimeoutMs: options.startTimeout, stopGraceMs: options.stopGrace },
  })
  const announcements = announcer && new Announcements({ announcer, log })
  const functions = new FunctionTable({ directory, revisions, announcements, clock, log, limits: options })
  const reports = new ReportServer({ desk, clock, log })
  const restore = (): void => {
    for (const one of stored.functions) functions.restore(one)
    for (const sample of options.samples ? sampleDeployments : []) {
      functions.addSample({ ...sample, namespace: facts.defaultNamespace })
    }
  }
  const state = { directory, lock, file, namespaces, secrets }
  const { authorization, readTimeoutMs } = facts
  const own = { ...state, processes, program, reports, functions, restore, authorization, log, clock }
  return new LocalProvider(own, readTimeoutMs)
}

/** What replicas are run with, and how they are heard. */
function sidecarsOf({ processes, options, facts, deps }: Parts): {
  readonly replicas: ReplicaDeps
  readonly program: SidecarProgram
  readonly desk: ReportDesk
} {
  const { clock, random, forwarder, http, instances } = deps
  const { instanceKey: key, gateways = [], sidecar: command } = facts
  const desk = new ReportDesk({ clock, key, registry: instances })
  const program = new SidecarProgram({ key, gateways, command, maxProcesses: options.maxProcesses })
  const ports = new PortAllocator({ range: options.replicaPorts, random })
  const { launcher, folders } = processes
  return { replicas: { launcher, folders, program, desk, ports, forwarder, http, clock, random }, program, desk }
}
