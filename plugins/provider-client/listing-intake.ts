import {
  functionIdentity,
  stateFromStatus,
  type FunctionIdentity,
  type FunctionState,
  type FunctionStatus,
  type Logger,
  type ReplicaDirectory,
  type SharedDirectory,
} from '#core'
import { Deployments } from './deployments.ts'
import type { Failure } from './failure-report.ts'
import { isNewer, mergeListing } from './merge-listing.ts'
import { nextTurn } from './next-turn.ts'

/** Functions that all gateways are told about at the same time. */
const atOnce = 50

/** What taking listings over works with. */
export interface ListingIntakeDeps {
  readonly replicas: ReplicaDirectory
  readonly shared: SharedDirectory
  readonly log: Logger
}

/** One round of listings. */
export interface IntakeRound {
  /** Whether what was listed before does not count, because others have listed since. */
  readonly isFirst: boolean
  /** Asked before every batch; throws when listings are no longer this gateway's to take over. */
  readonly confirm: () => Promise<void>
}

/** One answered listing. */
export interface Listing {
  /** Empty when it was asked for without one. */
  readonly namespace: string
  /** Wall clock: when it was asked for. */
  readonly askedAtMs: number
  readonly statuses: readonly FunctionStatus[]
}

/**
 * Tells all gateways what listings say, a limited number of functions at a time, with turns of the event loop between. What
 * could not be told is kept in {@link failure}, and does not keep the rest.
 */
export class ListingIntake {
  readonly #deps: ListingIntakeDeps
  #deployments = new Deployments()
  #confirm: () => Promise<void> = async () => {}
  /** The first function that could not be told since {@link begin}. */
  failure: Failure | undefined

  constructor(deps: ListingIntakeDeps) {
    this.#deps = deps
  }

  /** Begins a round of listings. */
  begin({ isFirst, confirm }: IntakeRound): void {
    this.failure = undefined
    this.#confirm = confirm
    if (isFirst) this.#deployments = new Deployments()
  }

  /**
   * Takes a listing over.
   * @returns the keys of the functions that are in it
   * @throws what `confirm` throws
   */
  async take(listing: Listing): Promise<ReadonlySet<string>> {
    const keys = new Set<string>()
    await this.#inBatches(listing.statuses, (status) => {
      const { merged, identity } = this.#merge(status, listing)
      keys.add(identity.key)
      // Observed at the moment of the merge: what is awaited between the two would be overwritten.
      return merged === undefined ? undefined : this.#tell(identity, this.#deps.shared.observe(merged))
    })
    return keys
  }

  /**
   * Forgets functions, except those observed after `askedAtMs`.
   * @throws what `confirm` throws
   */
  async forget(keys: readonly string[], askedAtMs: number): Promise<void> {
    const { replicas, shared } = this.#deps
    await this.#inBatches(keys, (key) => {
      const state = replicas.get(key)
      if (state === undefined || isNewer(state, askedAtMs)) return undefined
      this.#deployments.forget(key)
      return this.#tell(state.identity, shared.forget(state.identity))
    })
  }

  #merge(
    status: FunctionStatus,
    { namespace, askedAtMs }: Listing,
  ): { identity: FunctionIdentity; merged: FunctionState | undefined } {
    const { replicas, log } = this.#deps
    const identity = functionIdentity(status.name, namespace === '' ? '' : (status.namespace ?? namespace))
    const listed = stateFromStatus(identity, status, { observedAtMs: askedAtMs, log })
    const redeployed = this.#deployments.changed(identity.key, status)
    return { identity, merged: mergeListing(replicas.get(identity.key), { listed, redeployed }) }
  }

  async #tell({ key }: FunctionIdentity, telling: Promise<void>): Promise<void> {
    try {
      await telling
    } catch (error) {
      this.failure ??= { subject: key, error }
    }
  }

  async #inBatches<T>(all: readonly T[], work: (one: T) => Promise<void> | undefined): Promise<void> {
    for (let from = 0; from < all.length; from += atOnce) {
      if (from > 0) await nextTurn()
      await this.#confirm()
      await Promise.all(all.slice(from, from + atOnce).map(work))
    }
  }
}
