import type { StoreChange } from '../../core/coordination/coordination-store.ts'
import type { RecordSurroundings } from '../../core/coordination/local-store/local-records.ts'
import type { Clock } from '../../core/time/clock.ts'
import { StoreRecords } from './simulated-store-records.ts'

/** What a server publishes to its subscribers. */
export type Published = StoreChange | { readonly kind: 'probe'; readonly origin: string; readonly text: string }

/** A gateway's connection to the server, as the server sees it. */
export interface Subscriber {
  /** Something was published. */
  hear(published: Published): void
  /** The server went away: connections end. */
  disconnected(): void
  /** The server takes connections again. */
  reachable(): void
}

/** What may differ from an ordinary server. */
export interface SimulatedServerOptions {
  /** The time that all clocks are compared with. */
  readonly clock: Clock
  /** Default: {@link StoreRecords}, which do what the scripts do. */
  readonly createRecords?: (around: RecordSurroundings) => StoreRecords
}

/** A Redis in memory that gateways of one test share, with a clock of its own and the faults of a real one. */
export class SimulatedServer {
  readonly records: StoreRecords
  readonly clock: Clock
  /** How far its wall clock is ahead of the test's. */
  skewMs = 0
  /** Everything that was ever published, in order. */
  readonly published: StoreChange[] = []
  readonly #subscribers = new Set<Subscriber>()
  #isUp = true

  constructor({ clock, createRecords = (around) => new StoreRecords(around) }: SimulatedServerOptions) {
    this.clock = clock
    this.records = createRecords({ nowUs: () => this.nowUs(), publish: (change) => this.publish(change) })
  }

  get isUp(): boolean {
    return this.#isUp
  }

  /** Microseconds of the Unix epoch by its own clock. */
  nowUs(): number {
    return Math.floor((this.clock.nowMs() + this.skewMs) * 1000)
  }

  subscribe(subscriber: Subscriber): Disposable {
    this.#subscribers.add(subscriber)
    return { [Symbol.dispose]: () => void this.#subscribers.delete(subscriber) }
  }

  publish(published: Published): void {
    if (published.kind !== 'probe') this.published.push(published)
    for (const subscriber of this.#subscribers) subscriber.hear(published)
  }

  /** Ends all connections and takes none until {@link start}; keeps its data. */
  stop(): void {
    if (!this.#isUp) return
    this.#isUp = false
    for (const subscriber of this.#subscribers) subscriber.disconnected()
  }

  start(): void {
    if (this.#isUp) return
    this.#isUp = true
    for (const subscriber of this.#subscribers) subscriber.reachable()
  }

  /** Loses all data; connections stay. */
  flush(): void {
    this.records.clear()
  }

  /**
   * Puts a replica in its place that has not seen the last `lostWrites` writes and whose clock differs by `skewMs`. To be
   * called while it is stopped; {@link start} makes the replica reachable.
   */
  failOver({ lostWrites, skewMs }: { readonly lostWrites: number; readonly skewMs: number }): void {
    if (this.#isUp) throw new Error('invariant: a failover begins with the loss of the old server')
    this.records.undo(lostWrites)
    this.skewMs += skewMs
  }
}
