import { backoffDelayMs } from '../time/backoff.ts'
import type { Clock } from '../time/clock.ts'
import type { Random } from '../time/random.ts'
import { withoutArguments } from './store-failure.ts'

/** What a link needs of a client that is connected. */
export interface LinkedClient {
  readonly status: string
  on(event: 'end', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Ends it, within a bounded time. */
  disconnect(): void
}

/** What a link works with. */
export interface LinkDeps<Client> {
  readonly clock: Clock
  readonly random: Random
  /** Connects a new client, or rejects, within a bounded time and soon after the signal aborts. */
  readonly connect: (signal: AbortSignal) => Promise<Client>
  /** Told each time that a client has been connected. */
  readonly onUp: (client: Client) => void
  /** Told each time that there is no connected client any more. */
  readonly onDown: (fault: unknown) => void
  /** How long a client that was replaced may go on with what it was asked for, milliseconds. */
  readonly lingerMs: number
}

const retryBackoff = { firstMs: 50, maxMs: 500, factor: 2, jitterRatio: 0.5 }
/** A client that ends sooner than this counts as another vain attempt; nor is one replaced sooner. */
const shortLifeMs = 1_000

/**
 * Keeps one client connected: as soon as it ends, another one is connected, with growing pauses between vain attempts. No client
 * is connected twice, so nothing of an old connection reaches a new one.
 */
export class RedisLink<Client extends LinkedClient> implements Disposable {
  readonly #deps: LinkDeps<Client>
  readonly #closing = new AbortController()
  /** The present client, and those that it has replaced but that have not ended. */
  readonly #open = new Set<Client>()
  #client: Client | undefined
  #fault: unknown = new Error('not connected yet')
  #isConnecting = false
  #failures = 0
  #connectedAtMs = 0
  #pause = new AbortController()

  constructor(deps: LinkDeps<Client>) {
    this.#deps = deps
  }

  /** The client, while it is connected. */
  get client(): Client | undefined {
    return this.#client
  }

  /** Why there is no client. */
  get fault(): unknown {
    return this.#fault
  }

  /** Begins to connect. */
  open(): void {
    void this.#connect()
  }

  /**
   * Connects another client, which takes the place of the present one when it stands: for a client that seems to be connected
   * but does not do its work. At most once a second.
   */
  replace(): void {
    if (this.#client === undefined || this.#lifeMs() < shortLifeMs) return
    this.#failures = 0
    void this.#connect()
  }

  /** Ends a client that does not do its work, and connects another unless that has happened already. */
  drop(client: Client, fault: unknown): void {
    if (client !== this.#client) return
    this.#lose(client, fault)
    client.disconnect()
  }

  /** Ends a pause between two attempts: somebody else has just been connected. */
  hurry(): void {
    this.#pause.abort()
  }

  [Symbol.dispose](): void {
    this.#fault = new Error('this gateway has closed the connection')
    this.#closing.abort(this.#fault)
    this.#client = undefined
    for (const client of this.#open) client.disconnect()
  }

  /** Never rejects. */
  async #connect(): Promise<void> {
    const { random, connect } = this.#deps
    const { signal } = this.#closing
    if (this.#isConnecting) return
    this.#isConnecting = true
    while (!signal.aborted) {
      try {
        if (this.#failures > 0) await this.#wait(backoffDelayMs(retryBackoff, this.#failures, random))
        this.#take(await connect(signal))
        break
      } catch (fault) {
        this.#failures += 1
        if (!signal.aborted) this.#fault = withoutArguments(fault)
      }
    }
    this.#isConnecting = false
  }

  /** @throws the reason of the end of this link */
  async #wait(pauseMs: number): Promise<void> {
    const { signal } = this.#closing
    this.#pause = new AbortController()
    await this.#deps.clock.sleep(pauseMs, AbortSignal.any([signal, this.#pause.signal])).catch(() => {})
    signal.throwIfAborted()
  }

  #take(client: Client): void {
    const { clock, lingerMs, onUp } = this.#deps
    let fault: unknown = new Error('Redis has closed the connection')
    client.on('error', (error) => (fault = error))
    client.on('end', () => {
      this.#open.delete(client)
      this.#lose(client, fault)
    })
    this.#open.add(client)
    if (this.#closing.signal.aborted) return client.disconnect()
    const before = this.#client
    if (before !== undefined) clock.after(lingerMs, () => before.disconnect())
    this.#client = client
    this.#connectedAtMs = clock.monotonicMs()
    onUp(client)
  }

  #lose(client: Client, fault: unknown): void {
    if (client !== this.#client) return
    this.#client = undefined
    this.#fault = withoutArguments(fault)
    this.#failures = this.#lifeMs() < shortLifeMs ? this.#failures + 1 : 0
    this.#deps.onDown(this.#fault)
    void this.#connect()
  }

  #lifeMs(): number {
    return this.#deps.clock.monotonicMs() - this.#connectedAtMs
  }
}
