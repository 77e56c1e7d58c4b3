import type { Readable } from 'node:stream'
import { buildConnector, Pool, type Dispatcher } from 'undici'
import type { Reply } from '../pipeline/reply.ts'
import type { Clock } from '../time/clock.ts'
import type { ForwardCall, Forwarder } from './forwarder.ts'
import type { OutgoingProxy } from './outgoing-proxy.ts'
import type { PeerConnection } from './peer-connection.ts'
import { createProxiedPool } from './proxied-pool.ts'
import { ResetWatch } from './reset-watch.ts'
import { UndiciAttempt } from './undici-attempt.ts'
import { upstreamFailed } from './upstream-errors.ts'

/** Sizes of the connection pools of an engine. */
export interface ForwarderOptions {
  /** Most connections to one origin; further calls wait for one. */
  readonly maxConnectionsPerUpstream: number
  /** Largest head of an answer, in bytes. */
  readonly maxHeaderBytes: number
  /** Milliseconds a new connection may take. */
  readonly connectTimeoutMs: number
}

/** What the engine works with. */
export interface UndiciForwarderDeps {
  readonly clock: Clock
  readonly options: ForwarderOptions
  readonly proxy?: OutgoingProxy | undefined
  /** For an engine whose `https:` origins are all sidecars. */
  readonly secure?: PeerConnection
}

interface UsedPool {
  readonly pool: Dispatcher
  usedAtMs: number
}

/** A pool that nobody used for so long is closed. */
const unusedMs = 60_000

/** Forwards with undici's low-level dispatch, one pool of keep-alive connections per origin. */
export class UndiciForwarder implements Forwarder {
  readonly #clock: Clock
  readonly #options: ForwarderOptions
  readonly #proxy: OutgoingProxy | undefined
  readonly #secure: PeerConnection | undefined
  readonly #pools = new Map<string, UsedPool>()
  /** Pools that finish their calls. */
  readonly #closing = new Set<Dispatcher>()
  #sweep: Disposable | undefined
  readonly #resets = new ResetWatch()

  constructor(deps: UndiciForwarderDeps) {
    this.#clock = deps.clock
    this.#options = deps.options
    this.#proxy = deps.proxy
    this.#secure = deps.secure
  }

  forward(call: ForwardCall): Promise<Reply> {
    return new Promise<Reply>((resolve, reject) => {
      const attempt = new UndiciAttempt(call, { clock: this.#clock, resets: this.#resets, resolve, reject })
      attempt.begin()
      const body = call.request.body.open()
      if (!(body instanceof Promise)) this.#dispatch(call, attempt, body)
      else {
        body.then(
          (bytes) => this.#dispatch(call, attempt, bytes),
          (error: unknown) => attempt.failed(error),
        )
      }
    })
  }

  forget(origin: string): void {
    const known = this.#pools.get(origin)
    if (known === undefined) return
    this.#pools.delete(origin)
    this.#close(known.pool)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweep?.[Symbol.dispose]()
    const pools = [...this.#closing, ...[...this.#pools.values()].map(({ pool }) => pool)]
    this.#pools.clear()
    await Promise.all(pools.map((pool) => pool.destroy()))
  }

  #dispatch(call: ForwardCall, attempt: UndiciAttempt, body: Buffer | Readable | undefined): void {
    if (attempt.givenUp !== undefined) return
    try {
      this.#poolOf(call).dispatch(
        {
          path: call.path,
          method: call.request.method,
          headers: call.headers,
          body: body ?? null,
        },
        attempt,
      )
    } catch (error) {
      attempt.onResponseError(undefined, upstreamFailed(error))
    }
  }

  #poolOf({ origin, toPeer }: ForwardCall): Dispatcher {
    const usedAtMs = this.#clock.monotonicMs()
    const known = this.#pools.get(origin)
    if (known !== undefined) {
      known.usedAtMs = usedAtMs
      return known.pool
    }
    // Sidecars are near: no forward proxy stands between.
    const pool = this.#createPool(origin, toPeer === true ? undefined : this.#proxy)
    this.#pools.set(origin, { pool, usedAtMs })
    this.#sweep ??= this.#sweepLater()
    return pool
  }

  #sweepLater(): Disposable {
    return this.#clock.after(unusedMs, () => {
      const usedAfterMs = this.#clock.monotonicMs() - unusedMs
      for (const [origin, { pool, usedAtMs }] of this.#pools) {
        if (usedAtMs > usedAfterMs) continue
        this.#pools.delete(origin)
        this.#close(pool)
      }
      this.#sweep = this.#pools.size > 0 ? this.#sweepLater() : undefined
    })
  }

  #close(pool: Dispatcher): void {
    this.#closing.add(pool)
    const closed = (): void => void this.#closing.delete(pool)
    pool.close().then(closed, closed)
  }

  #createPool(origin: string, outgoing: OutgoingProxy | undefined): Dispatcher {
    const { maxConnectionsPerUpstream, maxHeaderBytes, connectTimeoutMs } = this.#options
    const pool: Pool.Options = {
      connections: maxConnectionsPerUpstream,
      maxHeaderSize: maxHeaderBytes,
      headersTimeout: 0, // the attempt has one timer for all of it
      bodyTimeout: 0,
      allowH2: false,
    }
    const watched = (connect: buildConnector.connector): buildConnector.connector => this.#resets.watched(connect)
    const target = new URL(origin)
    const proxy = outgoing?.proxyFor(target)
    if (proxy !== undefined) return createProxiedPool(proxy, target, { pool, connectTimeoutMs, watched })
    return new Pool(origin, {
      ...pool,
      connect: watched(buildConnector({ timeout: connectTimeoutMs, allowH2: false, ...this.#secure })),
    })
  }
}
