import type { Clock, Forwarder, HttpClient, Logger, Random, ReadinessAnnouncer } from '#core'
import { Announcements } from './announcements/announcements.ts'
import { builtInRecipes } from './catalogue/built-in.ts'
import { Catalogue } from './catalogue/catalogue.ts'
import { FunctionTable } from './functions/function-table.ts'
import { RevisionFactory } from './functions/revision-factory.ts'
import { sampleDeployments } from './functions/samples.ts'
import { LocalProvider } from './local-provider.ts'
import type { LocalProviderOptions } from './options.ts'
import { ProcessLauncher } from './processes/process-launcher.ts'
import { ProcessRecords } from './processes/process-records.ts'
import { PortAllocator } from './replicas/port-allocator.ts'
import { ReadinessProbe } from './replicas/readiness.ts'
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
  /** Told of functions that take calls. */
  readonly announcer: ReadinessAnnouncer
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
  let launcher: ProcessLauncher | undefined
  try {
    launcher = takeProcesses(directory, given.options, given.deps)
    return assemble({ directory, lock, launcher, ...given })
  } catch (error) {
    launcher?.[Symbol.dispose]()
    await lock[Symbol.asyncDispose]()
    throw error
  }
}

function takeProcesses(
  directory: StateDirectory,
  { maxProcesses }: LocalProviderOptions,
  deps: LocalProviderDeps,
): ProcessLauncher {
  const records = new ProcessRecords(directory.processes)
  const orphans = records.killOrphans()
  if (orphans.length > 0) deps.log.warn('function processes of a killed gateway were ended', { pids: orphans })
  return new ProcessLauncher({ records, clock: deps.clock, maxProcesses })
}

interface Parts {
  readonly directory: StateDirectory
  readonly lock: StateLock
  readonly launcher: ProcessLauncher
  readonly options: LocalProviderOptions
  readonly facts: LocalProviderFacts
  readonly deps: LocalProviderDeps
}

function assemble({ directory, lock, launcher, options, facts, deps }: Parts): LocalProvider {
  const { clock, random, forwarder, http, announcer, log } = deps
  const file = new StateFile(directory.stateFile, { clock, log })
  const stored = file.load()
  const namespaces = new NamespaceTable(facts.defaultNamespace, stored.namespaces)
  const secrets = new SecretStore(directory)
  const revisions = new RevisionFactory({
    catalogue: new Catalogue([...options.catalogue, ...builtInRecipes]),
    directory,
    secrets,
    replicas: {
      launcher,
      ports: new PortAllocator({ range: options.replicaPorts, random }),
      probe: new ReadinessProbe({ clock, http }),
      forwarder,
      clock,
      random,
    },
    settings: { path: options.path, startTimeoutMs: options.startTimeout, stopGraceMs: options.stopGrace },
  })
  const announcements = new Announcements({ announcer, log })
  const functions = new FunctionTable({ directory, revisions, announcements, clock, log, limits: options })
  for (const one of stored.functions) functions.restore(one)
  for (const sample of options.samples ? sampleDeployments : []) {
    functions.addSample({ ...sample, namespace: facts.defaultNamespace })
  }
  return new LocalProvider(
    { directory, lock, launcher, file, namespaces, secrets, functions, authorization: facts.authorization, log, clock },
    facts.readTimeoutMs,
  )
}
