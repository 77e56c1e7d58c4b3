import { functionIdentity, type Clock, type FunctionStatus, type Logger } from '#core'
import type { StateDirectory } from '../state/state-directory.ts'
import { FunctionLog } from '../logs/function-log.ts'
import { Refusal } from '../refusal.ts'
import type { Announcements } from '../announcements/announcements.ts'
import type { Deployment } from './deployment.ts'
import { FenceFile } from './fence-file.ts'
import { LocalFunction } from './local-function.ts'
import type { RevisionFactory } from './revision-factory.ts'
import type { StoredFunction } from './stored-function.ts'

const minLabel = 'com.openfaas.scale.min'
const maxLogBytes = 1024 * 1024

/** What the table works with. */
export interface FunctionTableDeps {
  readonly directory: StateDirectory
  readonly revisions: RevisionFactory
  /** Absent where gateways learn from reports of sidecars. */
  readonly announcements: Announcements | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly limits: {
    /** Most replicas of one function. */
    readonly maxReplicas: number
    /** Log lines that are kept per function. */
    readonly logLines: number
  }
}

/** Names a function; both parts are checked by the caller. */
export interface FunctionName {
  readonly name: string
  readonly namespace: string
}

/** Every deployed function. Changes of one caller are seen by the next; what they start goes on in the background. */
export class FunctionTable {
  readonly #deps: FunctionTableDeps
  readonly #functions = new Map<string, LocalFunction>()
  readonly #ending = new Set<Promise<void>>()

  constructor(deps: FunctionTableDeps) {
    this.#deps = deps
  }

  /** What outlives the gateway: samples are left out, they come with it. */
  get stored(): readonly StoredFunction[] {
    return [...this.#functions.values()].filter(({ isSample }) => !isSample).map(({ stored }) => stored)
  }

  has({ name, namespace }: FunctionName): boolean {
    return this.#functions.has(keyOf({ name, namespace }))
  }

  /** Returns a function, or undefined. */
  find(name: FunctionName): LocalFunction | undefined {
    return this.#functions.get(keyOf(name))
  }

  /** @throws Refusal 404 without a text, as OpenFaaS's providers answer */
  get(name: FunctionName): LocalFunction {
    const found = this.find(name)
    if (found === undefined) throw new Refusal(404, '')
    return found
  }

  /** Statuses of a namespace's functions, by name. */
  list(namespace: string): readonly FunctionStatus[] {
    return [...this.#functions.values()]
      .filter(({ deployment }) => deployment.namespace === namespace)
      .map((one) => one.status())
      .toSorted((one, other) => (one.name < other.name ? -1 : 1))
  }

  /**
   * Deploys a function, in place of one that has its name. A new one starts with as many replicas as its label for the
   * least says, else with one; an existing one keeps its number.
   * @throws Refusal 400 for what cannot be run here
   */
  deploy(deployment: Deployment): void {
    const revision = this.#deps.revisions.create(deployment)
    const before = this.#functions.get(keyOfDeployment(deployment))
    const replicas = before?.stored.replicas ?? this.#initialReplicas(deployment)
    const stored = { deployment, replicas, createdAt: this.#now() }
    const deployed = before === undefined || before.isSample ? this.#add(stored, { isSample: false }) : before
    if (before !== undefined && before !== deployed) this.#end(before)
    deployed.run(stored, revision)
  }

  /** Adds a function that comes with the provider, at zero replicas, unless its name is taken. */
  addSample(deployment: Deployment): void {
    if (this.#functions.has(keyOfDeployment(deployment))) return
    const stored = { deployment, replicas: 0, createdAt: this.#now() }
    this.#add(stored, { isSample: true }).run(stored, this.#deps.revisions.restore(deployment))
  }

  /** Runs again what ran when the state was stored. What cannot run any more stays, and says why. */
  restore(stored: StoredFunction): void {
    const revision = this.#deps.revisions.restore(stored.deployment)
    if ('problem' in revision) {
      this.#deps.log.warn('a stored function cannot run', {
        function: keyOfDeployment(stored.deployment),
        problem: revision.problem,
      })
    }
    this.#add(stored, { isSample: false }).run(stored, revision)
  }

  /** @throws Refusal 404, 400 beyond the limit, 409 for an old fence */
  scale(name: FunctionName, replicas: number, fence: number | undefined): void {
    const target = this.get(name)
    const { maxReplicas } = this.#deps.limits
    if (replicas > maxReplicas)
      throw new Refusal(400, `replicas ${replicas} is more than ${maxReplicas} (option maxReplicas)`)
    target.scale(replicas, fence)
  }

  /**
   * Takes a function out at once; ends its processes, and then removes its files, in the background.
   * @throws Refusal 404
   */
  remove(name: FunctionName): void {
    const found = this.get(name)
    this.#functions.delete(keyOf(name))
    this.#end(found, () => {
      if (!this.has(name)) void this.#deps.directory.removeFunction(name.namespace, name.name)
    })
  }

  /** Names of a namespace's functions. */
  namesIn(namespace: string): readonly string[] {
    return [...this.#functions.values()].flatMap(({ deployment }) =>
      deployment.namespace === namespace ? [deployment.service] : [],
    )
  }

  /** Ends those who follow logs: they would outlast every deadline. */
  closeLogs(): void {
    for (const one of this.#functions.values()) one.log.ring.close()
  }

  /** Ends all processes; resolves when the last one is gone. The wishes for replicas stay as they were stored. */
  async stop(): Promise<void> {
    for (const one of this.#functions.values()) this.#end(one)
    this.#functions.clear()
    await Promise.all(this.#ending)
  }

  #add(stored: StoredFunction, { isSample }: { isSample: boolean }): LocalFunction {
    const { clock, limits, directory, announcements } = this.#deps
    const { service, namespace } = stored.deployment
    const identity = functionIdentity(service, namespace)
    const log = new FunctionLog(clock, { maxLines: limits.logLines, maxBytes: maxLogBytes })
    const fences = new FenceFile(directory.fenceOf(namespace, service), this.#deps.log)
    const onFirstReplica = (available: number): void => announcements?.announce(identity, available)
    const added = new LocalFunction({ clock, log, fences, onFirstReplica }, isSample, stored)
    this.#functions.set(identity.key, added)
    return added
  }

  #end(one: LocalFunction, onEnded: () => void = () => {}): void {
    const ending = one.stop().then(() => {
      this.#ending.delete(ending)
      onEnded()
    })
    this.#ending.add(ending)
  }

  #initialReplicas({ labels }: Deployment): number {
    const least = Number(labels?.[minLabel])
    return Number.isInteger(least) && least > 0 ? Math.min(least, this.#deps.limits.maxReplicas) : 1
  }

  #now(): string {
    return new Date(this.#deps.clock.nowMs()).toISOString()
  }
}

function keyOf({ name, namespace }: FunctionName): string {
  return functionIdentity(name, namespace).key
}

function keyOfDeployment({ service, namespace }: Deployment): string {
  return keyOf({ name: service, namespace })
}
