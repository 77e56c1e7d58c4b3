import { Redis, type RedisOptions } from 'ioredis'
import type { StoreChange } from '../../core/coordination/coordination-store.ts'
import { toStoreChange } from '../../core/redis/store-change.ts'

interface Seen {
  readonly version: number
  readonly fence: number
}

/** Listens to the changes that gateways publish by a Redis, and notes what must not happen to a record. */
export class RecordWatch implements AsyncDisposable {
  /** Versions that did not grow, in words. */
  readonly olderVersions: string[] = []
  /** Writes under a lower fence than the one before, in words. */
  readonly olderFences: string[] = []
  /** Changes heard. */
  heard = 0
  readonly #client: Redis
  readonly #seen = new Map<string, Seen>()

  private constructor(options: Omit<RedisOptions, 'replyMapping'>) {
    this.#client = new Redis({ ...options, lazyConnect: true, retryStrategy: () => 50 })
    this.#client.on('error', () => {})
    // A new connection may have missed something, and be one to a Redis that was emptied.
    this.#client.on('ready', () => this.#seen.clear())
    this.#client.on('message', (_, message: string) => this.#hear(message))
  }

  /** Resolves when it listens. */
  static async start(options: Omit<RedisOptions, 'replyMapping'>): Promise<RecordWatch> {
    const watch = new RecordWatch(options)
    await watch.#client.connect()
    await watch.#client.subscribe('pilotlight:changes')
    return watch
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#client.disconnect()
  }

  #hear(message: string): void {
    const change = toStoreChange(message)
    if (change?.kind === 'state' || change?.kind === 'gone') this.#see(change)
  }

  #see(change: Extract<StoreChange, { readonly version: number }>): void {
    this.heard += 1
    const { key, version } = change
    const before = this.#seen.get(key)
    const fence = change.kind === 'state' ? fenceIn(change.body) : 0
    if (before !== undefined && version <= before.version)
      this.olderVersions.push(`version of "${key}" went from ${before.version} to ${version}`)
    if (change.kind === 'state' && before !== undefined && fence < before.fence)
      this.olderFences.push(`"${key}" was written under fence ${fence} after ${before.fence}`)
    this.#seen.set(key, { version, fence })
  }
}

function fenceIn(body: string): number {
  return (JSON.parse(body) as { fence: number }).fence // as core/coordination/state-record.ts writes it
}
