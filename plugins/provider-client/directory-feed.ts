import type {
  BackgroundTask,
  Clock,
  FunctionStatus,
  Logger,
  ProviderApi,
  Random,
  ReplicaDirectory,
  SharedDirectory,
} from '#core'
import { FailureReport, type Failure } from './failure-report.ts'
import type { FeedRole } from './feed-role.ts'
import { ListingIntake } from './listing-intake.ts'

/** What the feed reads and writes. */
export interface DirectoryFeedDeps {
  readonly api: ProviderApi
  readonly replicas: ReplicaDirectory
  readonly shared: SharedDirectory
  readonly role: FeedRole
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

/** How the feed works. */
export interface DirectoryFeedOptions {
  /** Pause between two rounds, a tenth more or less. */
  readonly intervalMs: number
  /** How long `start` waits for the first round, milliseconds. */
  readonly firstWaitMs: number
  /** Namespace of calls that name none. Listed alone when the provider names no namespaces; empty asks without one. */
  readonly defaultNamespace: string
}

/** Share of a pause by which it may be shorter or longer, so that gateways started together do not ask together. */
const jitterRatio = 0.1

/** One round of listings. */
interface Round {
  /** Wall clock: when it began. */
  readonly beganAtMs: number
  /** Keys known when it began, by namespace: what became known since is not gone. */
  readonly known: ReadonlyMap<string, readonly string[]>
  /** Aborts at shutdown, and when another gateway lists. */
  readonly signal: AbortSignal
}

/**
 * Keeps the directories of all gateways in step with the provider: the gateway that holds the role lists the functions of
 * every namespace, again and again; the others only ask for the role. A listing that fails changes nothing; a provider that is
 * away is logged once, and once when it is back. Never throws after construction.
 */
export class DirectoryFeed implements BackgroundTask, AsyncDisposable {
  readonly #deps: DirectoryFeedDeps
  readonly #options: DirectoryFeedOptions
  readonly #intake: ListingIntake
  readonly #listings: FailureReport
  readonly #tellings: FailureReport
  readonly #stop = new AbortController()
  #running: Promise<void> = Promise.resolve()
  /** Those of the round before. */
  #namespaces: ReadonlySet<string> = new Set()

  constructor(deps: DirectoryFeedDeps, options: DirectoryFeedOptions) {
    this.#deps = deps
    this.#options = options
    this.#intake = new ListingIntake(deps)
    this.#listings = new FailureReport(deps.log, {
      failing: 'the provider cannot list its functions; what is known stays',
      working: 'the provider lists its functions again',
    })
    this.#tellings = new FailureReport(deps.log, {
      failing: 'what the provider lists cannot be told to all gateways',
      working: 'what the provider lists can be told to all gateways again',
    })
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
    const { clock, random } = this.#deps
    while (!signal.aborted) {
      const pauseMs = this.#options.intervalMs * (1 + jitterRatio * (2 * random() - 1))
      const slept = await clock.sleep(pauseMs, signal).then(
        () => true,
        () => false,
      )
      if (slept) await this.#tick(signal)
    }
  }

  async #tick(signal: AbortSignal): Promise<void> {
    const { role, log } = this.#deps
    try {
      const answer = await role.ask()
      if (answer !== 'other') await this.#list(AbortSignal.any([signal, role.term]), answer === 'gained')
      if (role.term.aborted) this.#startOver()
    } catch (error) {
      log.error('a round of listings ended early; the next one follows', { error })
    }
  }

  async #list(signal: AbortSignal, isFirst: boolean): Promise<void> {
    const { api, clock, replicas } = this.#deps
    const round = { beganAtMs: clock.nowMs(), known: keysByNamespace(replicas), signal }
    this.#intake.begin({ isFirst, confirm: () => this.#confirm(signal) })
    // Whoever listed before may have left functions behind of a namespace that is gone.
    if (isFirst) this.#namespaces = new Set(round.known.keys())
    // When the provider is away, the listing says so.
    const named = await api.listNamespaces(signal).catch(() => undefined)
    const failures = await this.#takeAll(this.#namespacesToList(named ?? []), named !== undefined, round)
    if (signal.aborted) return
    this.#listings.note(failures)
    this.#tellings.note(this.#intake.failure === undefined ? [] : [this.#intake.failure])
  }

  /** @throws the signal's reason when listings are no longer this gateway's to take over */
  async #confirm(signal: AbortSignal): Promise<void> {
    await this.#deps.role.refresh()
    signal.throwIfAborted()
  }

  /** Calls name functions of an unnamed default namespace by their bare names, so these are listed first. */
  #namespacesToList(named: readonly string[]): Set<string> {
    const { defaultNamespace } = this.#options
    return new Set(named.length === 0 || defaultNamespace === '' ? [defaultNamespace, ...named] : named)
  }

  /** @param isComplete whether functions of other namespaces are gone */
  async #takeAll(namespaces: Set<string>, isComplete: boolean, round: Round): Promise<readonly Failure[]> {
    const failures: Failure[] = []
    const attempt = async (subject: string, work: () => Promise<void>): Promise<void> => {
      if (!round.signal.aborted) await work().catch((error: unknown) => failures.push({ subject, error }))
    }
    for (const namespace of namespaces) {
      await attempt(namespace, async () => {
        for (const covered of await this.#take(namespace, round)) namespaces.delete(covered)
      })
    }
    if (isComplete) await attempt('', () => this.#forgetOtherThan(namespaces, round))
    return failures
  }

  /**
   * Takes the functions of one namespace over.
   * @returns the namespaces that need no listing of their own: what is listed without a namespace is in the provider's default
   *   one, and must not be known twice
   */
  async #take(namespace: string, { known, signal }: Round): Promise<readonly string[]> {
    const { api, clock } = this.#deps
    await this.#confirm(signal)
    const askedAtMs = clock.nowMs()
    const statuses = await api.listFunctions(namespace, signal)
    const listed = await this.#intake.take({ namespace, askedAtMs, statuses })
    const missing = (known.get(namespace) ?? []).filter((key) => !listed.has(key))
    await this.#intake.forget(missing, askedAtMs)
    return namespace === '' ? namespacesOf(statuses) : []
  }

  async #forgetOtherThan(namespaces: ReadonlySet<string>, { known, beganAtMs }: Round): Promise<void> {
    for (const namespace of this.#namespaces) {
      if (!namespaces.has(namespace)) await this.#intake.forget(known.get(namespace) ?? [], beganAtMs)
    }
    this.#namespaces = namespaces
  }

  /** What failed while this gateway listed is over for it when another one does. */
  #startOver(): void {
    this.#listings.reset()
    this.#tellings.reset()
  }
}

function keysByNamespace(replicas: ReplicaDirectory): ReadonlyMap<string, readonly string[]> {
  const keys = new Map<string, string[]>()
  for (const { identity } of replicas.known()) {
    const sameNamespace = keys.get(identity.namespace)
    if (sameNamespace === undefined) keys.set(identity.namespace, [identity.key])
    else sameNamespace.push(identity.key)
  }
  return keys
}

function namespacesOf(statuses: readonly FunctionStatus[]): readonly string[] {
  return statuses.flatMap(({ namespace }) => (namespace === undefined || namespace === '' ? [] : [namespace]))
}
