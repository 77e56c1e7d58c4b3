import {
  functionIdentity,
  stateFromStatus,
  type BackgroundTask,
  type Clock,
  type FunctionState,
  type FunctionStatus,
  type Logger,
  type ProviderApi,
  type ReplicaDirectory,
} from '#core'
import { Deployments } from './deployments.ts'
import { isNewer, mergeListing } from './merge-listing.ts'

/** What the feed reads and writes. */
export interface DirectoryFeedDeps {
  readonly api: ProviderApi
  readonly replicas: ReplicaDirectory
  readonly clock: Clock
  readonly log: Logger
}

/** How the feed works. */
export interface DirectoryFeedOptions {
  readonly intervalMs: number
  /** How long `start` waits for the first listing, milliseconds. */
  readonly firstWaitMs: number
  /** Namespace of calls that name none. Listed alone when the provider names no namespaces; empty asks without one. */
  readonly defaultNamespace: string
}

/**
 * Keeps the directory in step with the provider: lists the functions of every namespace, again and again. A listing that
 * fails changes nothing; a provider that is away is logged once, and once when it is back. Never throws after construction.
 */
export class DirectoryFeed implements BackgroundTask, AsyncDisposable {
  readonly #deps: DirectoryFeedDeps
  readonly #options: DirectoryFeedOptions
  readonly #deployments = new Deployments()
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Those of the tick before. */
  #namespaces: ReadonlySet<string> = new Set()
  #failure = ''

  constructor(deps: DirectoryFeedDeps, options: DirectoryFeedOptions) {
    this.#deps = deps
    this.#options = options
  }

  async start(signal: AbortSignal): Promise<void> {
    const both = AbortSignal.any([signal, this.#stop.signal])
    const first = this.#tick(both)
    this.#running = first.then(() => this.#run(both))
    const waited = new AbortController()
    const limit = this.#deps.clock.sleep(this.#options.firstWaitMs, waited.signal).catch(() => {})
    await Promise.race([first, limit])
    waited.abort()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort()
    await this.#running
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const slept = await this.#deps.clock.sleep(this.#options.intervalMs, signal).then(
        () => true,
        () => false,
      )
      if (slept) await this.#tick(signal)
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const failures: ListingFailure[] = []
    // When the provider is away, the listing says so.
    const named = await this.#deps.api.listNamespaces(signal).catch(() => undefined)
    const namespaces = this.#namespacesToList(named ?? [])
    for (const namespace of namespaces) {
      const covered = await this.#list(namespace, signal).catch((error: unknown) => {
        failures.push({ namespace, error })
        return []
      })
      for (const name of covered) namespaces.delete(name)
    }
    if (named !== undefined) this.#forgetOtherThan(namespaces)
    if (!signal.aborted) this.#report(failures)
  }

  /** Calls name functions of an unnamed default namespace by their bare names, so these are listed first. */
  #namespacesToList(named: readonly string[]): Set<string> {
    const { defaultNamespace } = this.#options
    return new Set(named.length === 0 || defaultNamespace === '' ? [defaultNamespace, ...named] : named)
  }

  #forgetOtherThan(namespaces: ReadonlySet<string>): void {
    for (const namespace of this.#namespaces) if (!namespaces.has(namespace)) this.#forget(namespace, () => true)
    this.#namespaces = namespaces
  }

  /**
   * Takes the functions of one namespace over.
   * @returns the namespaces that need no listing of their own: what is listed without a namespace is in the provider's default
   *   one, and must not be known twice
   */
  async #list(namespace: string, signal: AbortSignal): Promise<readonly string[]> {
    const askedAtMs = this.#deps.clock.nowMs()
    const statuses = await this.#deps.api.listFunctions(namespace, signal)
    const listed = new Set(statuses.map((status) => this.#take(status, namespace, askedAtMs)))
    this.#forget(namespace, (state) => !listed.has(state.identity.key) && !isNewer(state, askedAtMs))
    return namespace === '' ? namespacesOf(statuses) : []
  }

  /** Forgets those functions of a namespace that are gone. */
  #forget(namespace: string, isGone: (state: FunctionState) => boolean): void {
    const { replicas } = this.#deps
    const gone = [...replicas.known()].filter((state) => state.identity.namespace === namespace && isGone(state))
    for (const { identity } of gone) {
      replicas.remove(identity.key)
      this.#deployments.forget(identity.key)
    }
  }

  #take(status: FunctionStatus, namespace: string, askedAtMs: number): string {
    const { replicas, log } = this.#deps
    const identity = functionIdentity(status.name, namespace === '' ? '' : (status.namespace ?? namespace))
    const listed = stateFromStatus(identity, status, { observedAtMs: askedAtMs, log })
    const redeployed = this.#deployments.changed(identity.key, status)
    const merged = mergeListing(replicas.get(identity.key), { listed, redeployed })
    if (merged !== undefined) replicas.apply(merged)
    return identity.key
  }

  #report(failures: readonly ListingFailure[]): void {
    const failure = failures.map(({ namespace, error }) => `${namespace}: ${textOf(error)}`).join('; ')
    if (failure === this.#failure) return
    this.#failure = failure
    const { log } = this.#deps
    if (failure === '') log.info('the provider lists its functions again')
    else log.warn('the provider cannot list its functions; what is known stays', { failure, error: failures[0]?.error })
  }
}

interface ListingFailure {
  /** Empty for the provider's default one. */
  readonly namespace: string
  readonly error: unknown
}

function namespacesOf(statuses: readonly FunctionStatus[]): readonly string[] {
  return statuses.flatMap(({ namespace }) => (namespace === undefined || namespace === '' ? [] : [namespace]))
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
