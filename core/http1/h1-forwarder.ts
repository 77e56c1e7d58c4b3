import type { ForwardCall, Forwarder } from '../http/forwarder.ts'
import type { OutgoingProxy } from '../http/outgoing-proxy.ts'
import type { ForwarderOptions } from '../http/undici-forwarder.ts'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import { ConnectionBudget } from './connection-budget.ts'
import { H1Attempt } from './h1-attempt.ts'
import { OriginPool } from './origin-pool.ts'

/** Sizes of this engine. */
export interface H1ForwarderOptions extends ForwarderOptions {
  /** Most connections to all origins together. Default 16,384. */
  readonly maxConnections?: number
}

/** What the engine works with. */
export interface H1ForwarderDeps {
  readonly clock: Clock
  readonly options: H1ForwarderOptions
  readonly proxy?: OutgoingProxy | undefined
  /** Forwards what this engine does not: to `https:` origins, and through a forward proxy. */
  readonly fallback: Forwarder
}

const defaultMaxConnections = 16_384
const maxHeaderLines = 2_000
const sweepMs = 1_000

/** Forwards to plain `http:` origins with an HTTP/1.1 client of its own, one pool of kept connections per origin. */
export class H1Forwarder implements Forwarder {
  readonly #clock: Clock
  readonly #options: H1ForwarderOptions
  readonly #proxy: OutgoingProxy | undefined
  readonly #fallback: Forwarder
  readonly #budget: ConnectionBudget
  readonly #pools = new Map<string, OriginPool>()
  /** Pools whose origin left while calls were under way. */
  readonly #leaving = new Set<OriginPool>()
  #sweep: Disposable | undefined
  #isDisposed = false

  constructor({ clock, options, proxy, fallback }: H1ForwarderDeps) {
    this.#clock = clock
    this.#options = options
    this.#proxy = proxy
    this.#fallback = fallback
    this.#budget = new ConnectionBudget(options.maxConnections ?? defaultMaxConnections, () => this.#closeOldestIdle())
  }

  forward(call: ForwardCall): Promise<Reply> {
    if (!this.#serves(call)) return this.#fallback.forward(call)
    return new Promise((resolve, reject) => {
      const attempt = new H1Attempt(call, {
        clock: this.#clock,
        resolve,
        reject,
        poolOf: (origin) => this.#poolOf(origin),
      })
      attempt.begin()
      const body = call.request.body.open()
      if (!(body instanceof Promise)) attempt.send(body)
      else {
        body.then(
          (bytes) => attempt.send(bytes),
          (error: unknown) => attempt.failed(error),
        )
      }
    })
  }

  /** The upstream at `origin` is gone or going: idle connections to it are closed now, the others after their calls. */
  forget(origin: string): void {
    const pool = this.#pools.get(origin)
    if (pool === undefined) return
    this.#pools.delete(origin)
    this.#leaving.add(pool)
    pool.retire()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true
    this.#sweep?.[Symbol.dispose]()
    for (const pool of [...this.#pools.values(), ...this.#leaving]) pool.destroy()
    this.#pools.clear()
    this.#leaving.clear()
    await this.#fallback[Symbol.asyncDispose]()
  }

  /** Sidecars are near: no forward proxy stands between. */
  #serves({ origin, toPeer }: ForwardCall): boolean {
    if (this.#pools.has(origin)) return true
    if (!origin.startsWith('http://')) return false
    return toPeer === true || this.#proxy?.proxyFor(new URL(origin)) === undefined
  }

  #poolOf(origin: string): OriginPool {
    const known = this.#pools.get(origin)
    if (known !== undefined) return known
    if (this.#isDisposed) throw new Error('the engine is closed')
    const { maxConnectionsPerUpstream, maxHeaderBytes, connectTimeoutMs } = this.#options
    const { hostname, port, host } = new URL(origin)
    const pool = new OriginPool(
      { clock: this.#clock, budget: this.#budget },
      {
        name: host,
        host: hostname.replace(/^\[(.*)\]$/, '$1'),
        port: Number(port || 80),
        maxConnections: maxConnectionsPerUpstream,
        maxHeaderBytes,
        maxHeaderLines,
        connectTimeoutMs,
      },
    )
    this.#pools.set(origin, pool)
    this.#sweep ??= this.#sweepLater()
    return pool
  }

  #sweepLater(): Disposable {
    return this.#clock.after(sweepMs, () => {
      const nowMs = this.#clock.monotonicMs()
      for (const [origin, pool] of this.#pools) if (pool.sweep(nowMs)) this.#pools.delete(origin)
      for (const pool of this.#leaving) if (pool.isEmpty) this.#leaving.delete(pool)
      this.#sweep = this.#pools.size + this.#leaving.size > 0 ? this.#sweepLater() : undefined
    })
  }

  #closeOldestIdle(): void {
    let oldest: OriginPool | undefined
    for (const pool of this.#pools.values()) {
      if ((pool.oldestIdleMs ?? Infinity) < (oldest?.oldestIdleMs ?? Infinity)) oldest = pool
    }
    oldest?.closeOldestIdle()
  }
}
