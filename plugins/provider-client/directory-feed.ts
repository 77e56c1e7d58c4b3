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
  /** Listed alone when the provider names no namespaces; empty asks without one. */
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
    const failures: string[] = []
    for (const namespace of await this.#namespacesToList(signal)) {
      try {
        await this.#list(namespace, signal)
      } catch (error) {
        failures.push(`${namespace === '' ? 'functions' : namespace}: ${textOf(error)}`)
      }
    }
    if (!signal.aborted) this.#report(failures.join('; '))
  }

  async #namespacesToList(signal: AbortSignal): Promise<Iterable<string>> {
    const fallback = [this.#options.defaultNamespace]
    try {
      const named = await this.#deps.api.listNamespaces(signal)
      const current = new Set(named.length === 0 ? fallback : named)
      for (const namespace of this.#namespaces) if (!current.has(namespace)) this.#forget(namespace, () => true)
      this.#namespaces = current
      return current
    } catch {
      return fallback // when the provider is away, the listing says so
    }
  }

  async #list(namespace: string, signal: AbortSignal): Promise<void> {
    const askedAtMs = this.#deps.clock.nowMs()
    const statuses = await this.#deps.api.listFunctions(namespace, signal)
    const listed = new Set(statuses.map((status) => this.#take(status, namespace, askedAtMs)))
    this.#forget(namespace, (state) => !listed.has(state.identity.key) && !isNewer(state, askedAtMs))
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
    // Without a namespace in the question, functions are known by their bare name, as calls name them.
    const identity = functionIdentity(status.name, namespace === '' ? '' : (status.namespace ?? namespace))
    const listed = stateFromStatus(identity, status, { observedAtMs: askedAtMs, log })
    const redeployed = this.#deployments.changed(identity.key, status)
    const merged = mergeListing(replicas.get(identity.key), { listed, redeployed })
    if (merged !== undefined) replicas.apply(merged)
    return identity.key
  }

  #report(failure: string): void {
    if (failure === this.#failure) return
    this.#failure = failure
    if (failure === '') this.#deps.log.info('the provider lists its functions again')
    else this.#deps.log.warn('the provider cannot list its functions; what is known stays', { failure })
  }
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
