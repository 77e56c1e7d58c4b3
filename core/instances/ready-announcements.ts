import type { ReadinessAnnouncer } from '../coordination/readiness-announcer.ts'
import { functionIdentity } from '../provider/function-identity.ts'
import { readyState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import type { Logger } from '../telemetry/logger.ts'
import type { Clock } from '../time/clock.ts'
import type { HeldInstance } from './held-instance.ts'
import type { LocalInstances } from './local-instances.ts'

/** What announcing readiness works with. */
export interface ReadyAnnouncementsDeps {
  readonly local: LocalInstances
  readonly replicas: ReplicaDirectory
  readonly announcer: ReadinessAnnouncer
  readonly clock: Clock
  readonly log: Logger
  /** Whether the provider has a function. May reject. */
  readonly exists: (instance: HeldInstance) => Promise<boolean>
}

/** Pause until the provider is asked again about a function that it did not have: it may be about to be deployed. */
const unknownPauseMs = 10_000

/**
 * Has a function announced as ready when its first instance is: all gateways release the calls that they hold for it, each as soon as it
 * knows the instance, and those that do not with the announcement. What could not
 * be announced is with the next heartbeat. Of a function that the provider does not have nothing is announced: its name must not
 * become known.
 */
export class ReadyAnnouncements {
  readonly #deps: ReadyAnnouncementsDeps
  /** When functions with ready instances may be announced next, monotonic; Infinity for those that have been. */
  readonly #nextAtMs = new Map<string, number>()

  constructor(deps: ReadyAnnouncementsDeps) {
    const { local } = deps
    this.#deps = deps
    local.subscribe((instance, change) => {
      const { functionKey, lease } = instance
      const isReady = instance.isReady && change === 'taken'
      if (local.ready(functionKey).length === 0) this.#nextAtMs.delete(functionKey)
      // Whoever told this gateway of the instance announces it.
      else if (lease.basis === 'store') this.#nextAtMs.set(functionKey, Number.POSITIVE_INFINITY)
      // It was announced, and is not ready any more by the word of the provider: instances may be known still that died with it.
      else if (isReady && this.#isWanted(functionKey)) this.#nextAtMs.delete(functionKey)
      if (isReady) this.#releaseHere(functionKey)
    })
  }

  /** Takes note of a report, after the others know the instance. */
  reported(instance: HeldInstance): void {
    const { functionKey, isReady, record } = instance
    // Another report has come meanwhile, and speaks for itself.
    if (this.#deps.local.get(record.id) !== instance) return
    const nextAtMs = this.#nextAtMs.get(functionKey) ?? 0
    if (!isReady || nextAtMs > this.#deps.clock.monotonicMs()) return
    this.#nextAtMs.set(functionKey, Number.POSITIVE_INFINITY)
    void this.#announce(instance)
  }

  /** Whether a function that is known is not ready, so far as is known here. */
  #isWanted(functionKey: string): boolean {
    const { replicas } = this.#deps
    const known = replicas.knows(functionKey) ? replicas.get(functionKey) : undefined
    return known !== undefined && known.phase !== 'ready'
  }

  /** Calls that this gateway holds go at once: the word of the store would come later by two round trips, or not at all. */
  #releaseHere(functionKey: string): void {
    const { local, replicas, clock } = this.#deps
    const known = this.#isWanted(functionKey) ? replicas.get(functionKey) : undefined
    if (known === undefined) return
    const seen = { available: local.ready(functionKey).length, observedAtMs: clock.nowMs() }
    replicas.apply(readyState(known.identity, known, seen))
  }

  /** Never rejects. */
  async #announce(instance: HeldInstance): Promise<void> {
    const { local, announcer, clock, log, exists } = this.#deps
    const { functionKey, record } = instance
    try {
      if (await exists(instance)) {
        const available = local.ready(functionKey).length
        if (available > 0) await announcer.announceReady(functionIdentity(record.name, record.namespace), available)
        return
      }
      log.debug('an instance reports for a function that there is not', { function: functionKey })
      this.#tryAgain(functionKey, clock.monotonicMs() + unknownPauseMs)
    } catch (error) {
      log.debug('a function could not be announced as ready', { function: functionKey, err: error })
      this.#tryAgain(functionKey, 0)
    }
  }

  /** Unless nothing of the function is ready any more: then the next instance that is begins anew. */
  #tryAgain(functionKey: string, atMs: number): void {
    if (this.#nextAtMs.has(functionKey)) this.#nextAtMs.set(functionKey, atMs)
  }
}
