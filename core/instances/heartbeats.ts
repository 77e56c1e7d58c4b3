import { maxRenewals } from '../coordination/coordination-store.ts'
import { gatewayEntry } from '../coordination/gateway-entries.ts'
import type { SharedEntries } from '../coordination/shared-entries.ts'
import type { Clock } from '../time/clock.ts'
import type { HeldInstance } from './held-instance.ts'
import type { LocalInstances } from './local-instances.ts'
import { instanceEntry, instanceOf, sharedRefreshMs, toLoadNote } from './shared-records.ts'

/** What sharing heartbeats works with. */
export interface HeartbeatsDeps {
  readonly entries: SharedEntries
  readonly local: LocalInstances
  readonly clock: Clock
  readonly ttlMs: number
  /** Puts an instance's entry. Never rejects. */
  readonly put: (instance: HeldInstance) => Promise<void>
}

/** Longest and shortest pause between two writings; a third of a lease where that lies between. */
const longestPauseMs = 1_000
const shortestPauseMs = 100
/** Until others take a gateway for dead that does not write: several pauses, and a store that is slow. */
export const gatewayTtlMs = 5_000

/**
 * Tells the other gateways which instances live, for many in one command about once a second, and that this gateway does. What another
 * has told meanwhile is not told again: sidecars may report to all of them.
 */
export class Heartbeats implements Disposable {
  readonly #deps: HeartbeatsDeps
  readonly #ownKey: string
  #untold = new Set<string>()
  #next: Disposable | undefined
  #isClosed = false

  constructor(deps: HeartbeatsDeps) {
    this.#deps = deps
    this.#ownKey = gatewayEntry(deps.entries.origin)
  }

  start(): void {
    const pauseMs = Math.max(shortestPauseMs, Math.min(longestPauseMs, this.#deps.ttlMs / 3))
    this.#next = this.#deps.clock.after(pauseMs, () => {
      void this.#write().finally(() => {
        if (!this.#isClosed) this.start()
      })
    })
  }

  /** An instance has reported here. */
  add(id: string): void {
    this.#untold.add(id)
  }

  /** Another gateway has told it, or there is more to tell than that it lives. */
  remove(id: string): void {
    this.#untold.delete(id)
  }

  [Symbol.dispose](): void {
    this.#isClosed = true
    this.#next?.[Symbol.dispose]()
  }

  async #write(): Promise<void> {
    const { entries, local, clock } = this.#deps
    const untold = [...this.#untold]
    this.#untold.clear()
    // Recovery tells the others all that they have missed.
    if (entries.isAlone) return
    const known = untold.map((id) => local.get(id)).filter((instance) => instance !== undefined)
    const [fresh, stale] = partition(known, ({ sharedAtMs }) => sharedAtMs + sharedRefreshMs > clock.monotonicMs())
    await this.#renewOwn()
    for (let from = 0; from < fresh.length; from += maxRenewals)
      await this.#renew(fresh.slice(from, from + maxRenewals))
    for (const instance of stale) await this.#deps.put(instance)
  }

  async #renewOwn(): Promise<void> {
    const { entries } = this.#deps
    const missing = await entries.renew([this.#ownKey], { ttlMs: gatewayTtlMs, note: '' })
    if (missing.length > 0) await entries.put(this.#ownKey, { body: '', rank: 0, ttlMs: gatewayTtlMs })
  }

  async #renew(instances: readonly HeldInstance[]): Promise<void> {
    const { entries, local, ttlMs, put } = this.#deps
    const keys = instances.map(({ record }) => instanceEntry(record, entries.origin))
    const note = toLoadNote(instances.map(({ load }) => load))
    for (const key of await entries.renew(keys, { ttlMs, note })) {
      const instance = local.get(instanceOf(key, entries.origin) ?? '')
      if (instance !== undefined) await put(instance)
    }
  }
}

function partition<T>(all: readonly T[], isFirst: (one: T) => boolean): readonly [readonly T[], readonly T[]] {
  return [all.filter(isFirst), all.filter((one) => !isFirst(one))]
}
