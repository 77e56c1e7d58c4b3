import type { Clock } from '../time/clock.ts'
import { neverConnected } from './call-errors.ts'
import { Connection, type CarriedCall, type ConnectionOptions, type ConnectionOwner } from './connection.ts'
import type { BudgetUser, ConnectionBudget } from './connection-budget.ts'
import { WaitQueue } from './wait-queue.ts'

/** A call that wants a connection. */
export interface PooledCall extends CarriedCall {
  /** Stays the same when the call is tried again. */
  readonly request: object
  /** Carries the call over this connection. */
  onConnection(connection: Connection): void
}

/** What the pools of one engine share. */
export interface PoolDeps {
  readonly clock: Clock
  readonly budget: ConnectionBudget
}

/** Where the connections of a pool go, and how many there may be. */
export interface PoolOptions extends ConnectionOptions {
  /** What `Host` says. */
  readonly name: string
  readonly maxConnections: number
}

/** How long a connection stays idle when its upstream says nothing: most servers wait for 5 s and more. */
const idleLimitMs = 4_000
/** The longest that an upstream can ask for. */
const maxIdleLimitMs = 60_000
/** How long a pool without a connection is kept. */
const unusedLimitMs = 60_000

/**
 * The connections to one origin. A call takes the one that was used last; where none is idle it waits, in the order of
 * arrival, for whichever comes first: one that is released or a new one.
 */
export class OriginPool implements ConnectionOwner, BudgetUser {
  readonly #deps: PoolDeps
  readonly #options: PoolOptions
  readonly #connections = new Set<Connection>()
  /** The one used last at the end. */
  readonly #idle: Connection[] = []
  readonly #waiting = new WaitQueue<PooledCall>()
  /** Connections being opened for one call only, which may have left since. */
  readonly #reserved = new Map<Connection, PooledCall | undefined>()
  /** Requests that lost a call with its connection. */
  readonly #cut = new WeakSet<object>()
  /** How many are being opened for whoever waits. */
  #opening = 0
  #isRetired = false
  #usedAtMs: number

  constructor(deps: PoolDeps, options: PoolOptions) {
    this.#deps = deps
    this.#options = options
    this.#usedAtMs = deps.clock.monotonicMs()
  }

  /** What `Host` says. */
  get host(): string {
    return this.#options.name
  }

  /** Since when its oldest idle connection is idle, by the monotonic clock; undefined when none is. */
  get oldestIdleMs(): number | undefined {
    return this.#idle[0]?.idleSinceMs
  }

  /** Whether it has neither connections nor calls. */
  get isEmpty(): boolean {
    return this.#connections.size === 0 && this.#waiting.size === 0
  }

  /** Gives the call a connection, now or later, or breaks it off. The repeat of a cut call gets a new one. */
  acquire(call: PooledCall): void {
    const nowMs = this.#deps.clock.monotonicMs()
    this.#usedAtMs = nowMs
    if (this.#cut.has(call.request)) {
      if (this.#openFor(call)) return
    } else {
      const idle = this.#takeIdle(nowMs)
      if (idle !== undefined) {
        call.onConnection(idle)
        return
      }
    }
    this.#waiting.add(call)
    this.#openAsNeeded()
  }

  /** The call does not want a connection any more. */
  leave(call: PooledCall): void {
    this.#waiting.remove(call)
    for (const [connection, one] of this.#reserved) if (one === call) this.#reserved.set(connection, undefined)
  }

  /** The call was cut: its repeat gets a new connection, which no upstream closes for having been idle. */
  noteCut(call: PooledCall): void {
    this.#cut.add(call.request)
  }

  /** Closes what has been idle for too long. Returns whether the pool has been unused for so long that it can go. */
  sweep(nowMs: number): boolean {
    for (const connection of [...this.#idle]) if (isStale(connection, nowMs)) connection.close()
    return this.isEmpty && nowMs - this.#usedAtMs >= unusedLimitMs
  }

  /** Closes the connection that has been idle for longest, if there is one. */
  closeOldestIdle(): void {
    this.#idle[0]?.close()
  }

  /** Closes idle connections now and the others after their calls. */
  retire(): void {
    this.#isRetired = true
    for (const connection of [...this.#idle]) connection.close()
  }

  /** Closes everything; calls are broken off. */
  destroy(): void {
    this.#isRetired = true
    const cause = new Error('the gateway closes its connections')
    for (let call = this.#waiting.take(); call !== undefined; call = this.#waiting.take()) {
      call.onBroken(neverConnected(cause))
    }
    for (const connection of [...this.#connections]) connection.close()
  }

  onRoom(): void {
    this.#openAsNeeded()
  }

  opened(connection: Connection): void {
    const call = this.#reserved.get(connection)
    if (!this.#reserved.delete(connection)) this.#opening -= 1
    if (call === undefined) this.released(connection)
    else call.onConnection(connection)
  }

  released(connection: Connection): void {
    const waiter = this.#waiting.take()
    if (waiter !== undefined) {
      waiter.onConnection(connection)
      return
    }
    if (this.#isRetired || connection.idleHintMs === 0) {
      connection.close()
      return
    }
    connection.idleSinceMs = this.#deps.clock.monotonicMs()
    this.#idle.push(connection)
    this.#deps.budget.idled()
  }

  refused(connection: Connection, cause: unknown): void {
    let call = this.#reserved.get(connection)
    if (!this.#reserved.delete(connection)) {
      this.#opening -= 1
      call = this.#waiting.take()
    }
    this.closed(connection)
    call?.onBroken(neverConnected(cause))
  }

  closed(connection: Connection): void {
    this.#connections.delete(connection)
    const at = this.#idle.indexOf(connection)
    if (at !== -1) this.#idle.splice(at, 1)
    this.#deps.budget.give()
    this.#openAsNeeded()
  }

  #takeIdle(nowMs: number): Connection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      if (idle.isUsable && !isStale(idle, nowMs)) return idle
      idle.close()
    }
    return undefined
  }

  #openAsNeeded(): void {
    while (this.#opening < this.#waiting.size && this.#open() !== undefined) this.#opening += 1
  }

  #openFor(call: PooledCall): boolean {
    if (this.#connections.size >= this.#options.maxConnections) this.closeOldestIdle()
    const connection = this.#open()
    if (connection !== undefined) this.#reserved.set(connection, call)
    return connection !== undefined
  }

  #open(): Connection | undefined {
    const { clock, budget } = this.#deps
    if (this.#connections.size >= this.#options.maxConnections || !budget.take(this)) return undefined
    const connection = new Connection(this, clock, this.#options)
    this.#connections.add(connection)
    return connection
  }
}

function isStale({ idleHintMs = idleLimitMs, idleSinceMs }: Connection, nowMs: number): boolean {
  return nowMs - idleSinceMs >= Math.min(idleHintMs, maxIdleLimitMs)
}
