import { createNoopMeter } from '@opentelemetry/api'
import {
  BufferReply,
  Exchange,
  GatewayError,
  type Coordinator,
  type FunctionIdentity,
  type ProviderApi,
  type ReplicaDirectory,
  type Reply,
  type ServiceQuery,
} from '#core'
import { CoordinationMetrics } from '../../core/coordination/coordination-metrics.ts'
import { Fleet } from '../../core/coordination/fleet.ts'
import { LocalReplicaDirectory } from '../../core/replicas/local-replica-directory.ts'
import { InvocationEventHub } from '../../core/telemetry/invocation-event-hub.ts'
import { DirectoryFeed } from '../../plugins/provider-client/directory-feed.ts'
import { FeedRole, feedRoleTimes } from '../../plugins/provider-client/feed-role.ts'
import { HeldBudget } from '../../core/holding/held-budget.ts'
import { scaleFromZeroOptions } from '../../plugins/scale-from-zero/options.ts'
import { ReadyGate } from '../../plugins/scale-from-zero/ready-gate.ts'
import { WakeMetrics } from '../../plugins/scale-from-zero/wake-metrics.ts'
import { WakeQueue } from '../../plugins/scale-from-zero/wake-queue.ts'
import { FakeLogger } from '../support/fake-logger.ts'
import { SimulatedStore } from '../support/simulated-store.ts'
import type { SimulatedServer } from '../support/simulated-store-server.ts'
import { someRequest } from '../unit/http/some-request.ts'
import type { SimulatedProvider } from './simulated-provider.ts'
import { ProcessClock, type SimulatedTime } from './simulated-time.ts'

/** What all gateways of a model share. */
export interface Surroundings {
  readonly time: SimulatedTime
  readonly server: SimulatedServer
  readonly provider: SimulatedProvider
  readonly variant: Variant
}

/** Where a model is told to differ from what is right, to see that the difference is found. */
export interface Variant {
  readonly coordinator?: (leases: Coordinator) => Coordinator
  readonly store?: (store: SimulatedStore) => void
  readonly query?: (query: ServiceQuery) => ServiceQuery
}

/** Durations of the model, milliseconds: like the defaults, some of them shorter. */
export const modelTimes = {
  leaseTtl: 2_000,
  hold: 25_000,
  storeTimeout: 100,
  feedInterval: 5_000,
} as const

const options = scaleFromZeroOptions.parse({
  providerPatience: '2s',
  rescaleAfter: '1s',
  failureBackoff: '500ms',
  failureBackoffMax: '2s',
})

/** One time that a call was held. */
export interface Hold {
  readonly gateway: string
  readonly key: string
  readonly fromMs: number
  untilMs: number | undefined
  /** `released`, or the code of the error. */
  ending: string | undefined
}

/** One call of a function. */
export interface ModelCall {
  readonly gateway: string
  readonly key: string
  readonly arrivedMs: number
  endedMs: number | undefined
  /** `served`, or what it was refused with. */
  ending: string | undefined
  hasLeft: boolean
  /** Closes the client's connection. */
  leave(): void
}

/** One gateway as a process: the real coordination, waking and feed, on a clock of its own. */
export class SimulatedGateway {
  readonly name: string
  readonly clock: ProcessClock
  readonly store: SimulatedStore
  readonly directory: ReplicaDirectory
  readonly fleet: Fleet
  readonly log = new FakeLogger()
  readonly holds: Hold[] = []
  readonly calls: ModelCall[] = []
  /** Since when it has decided alone; undefined while it does not. */
  aloneSinceMs: number | undefined
  /** Stretches in which it decided alone that are over. */
  readonly alone: { readonly fromMs: number; readonly untilMs: number }[] = []
  /** Stretches in which it was paused that are over. */
  readonly pauses: { readonly fromMs: number; readonly untilMs: number }[] = []
  #pausedSinceMs: number | undefined
  readonly #around: Surroundings
  readonly #gate: ReadyGate
  readonly #feed: DirectoryFeed

  constructor(around: Surroundings, { name, skewMs }: { name: string; skewMs: number }) {
    const { time, server, provider, variant } = around
    this.#around = around
    this.name = name
    const clock = new ProcessClock(time, skewMs)
    this.clock = clock
    this.store = new SimulatedStore(server, { clock, origin: name, timeoutMs: modelTimes.storeTimeout })
    const directory = new LocalReplicaDirectory({ clock })
    this.directory = directory
    const { random } = time
    const { log } = this
    const metrics = new WatchedMetrics((isAlone) => this.#goneAlone(isAlone))
    variant.store?.(this.store)
    this.fleet = new Fleet({
      store: this.store,
      directory,
      clock,
      random,
      log,
      metrics,
      leaseTtlMs: modelTimes.leaseTtl,
    })
    const query = provider.connect({ name, clock })
    this.#gate = this.#createGate(variant.query?.(query) ?? query)
    this.#feed = this.#createFeed(query)
  }

  /** Begins to coordinate and to list functions. */
  start(): void {
    void this.fleet.start().then(() => this.#feed.start(new AbortController().signal))
  }

  get isRunning(): boolean {
    return this.clock.isRunning
  }

  pause(): void {
    if (!this.isRunning) return
    this.clock.pause()
    this.#pausedSinceMs = this.#around.time.nowMs
  }

  resume(): void {
    if (this.#pausedSinceMs === undefined) return
    this.pauses.push({ fromMs: this.#pausedSinceMs, untilMs: this.#around.time.nowMs })
    this.#pausedSinceMs = undefined
    this.clock.resume()
  }

  /** Ends it like SIGKILL: its connections close, and nothing happens to it any more. */
  kill(): void {
    this.clock.stop()
    void this.store[Symbol.asyncDispose]()
  }

  /** A call of a function arrives here. */
  call(identity: FunctionIdentity): ModelCall {
    const { time } = this.#around
    const client = someRequest()
    const exchange = new Exchange('call', client.request, {
      route: { identity, rest: '', target: `/function/${identity.key}` },
      times: { receivedMs: time.nowMs, forwardedMs: 0, heldMs: 0 },
      startTime: '0',
    })
    const { key } = identity
    const call: ModelCall = {
      gateway: this.name,
      key,
      arrivedMs: time.nowMs,
      endedMs: undefined,
      ending: undefined,
      hasLeft: false,
      leave: () => {
        call.hasLeft = true
        client.leave()
      },
    }
    this.calls.push(call)
    const end = (ending: string): void => void Object.assign(call, { ending, endedMs: time.nowMs })
    this.#gate
      .handle(exchange, () => this.#forward(key))
      .then(
        ({ status }) => end(status === 200 ? 'served' : `${status}`),
        (error: unknown) => end(GatewayError.from(error).code),
      )
    return call
  }

  /** What stands behind the gate: the provider's way to the function's instances. */
  async #forward(key: string): Promise<Reply> {
    const { time, provider } = this.#around
    await this.clock.sleep(time.between(0, 5))
    if (provider.isReady(key)) return new BufferReply(200)
    return new BufferReply(503, { 'x-openfaas-internal': 'proxy' })
  }

  #createGate(query: ServiceQuery): ReadyGate {
    const { time, variant } = this.#around
    const { clock, log, directory, fleet } = this
    const budget = new HeldBudget(options)
    const metrics = new WakeMetrics(createNoopMeter(), () => budget.count)
    const events = new InvocationEventHub({ log, clock })
    const coordinator = variant.coordinator?.(fleet.leases) ?? fleet.leases
    const { random } = time
    const shared = { clock, log, query, directory, coordinator, events, random, metrics, budget, options }
    const queue = new WatchedQueue({ ...shared, holdTimeoutMs: modelTimes.hold }, (exchange) => this.#held(exchange))
    return new ReadyGate({ directory, queue, clock, random })
  }

  #createFeed(api: ProviderApi): DirectoryFeed {
    const { clock, log, directory, fleet } = this
    const { random } = this.#around.time
    const times = feedRoleTimes({ intervalMs: modelTimes.feedInterval, listTimeoutMs: 500 })
    const role = new FeedRole({ election: fleet.election, clock, log }, times)
    return new DirectoryFeed(
      { api, replicas: directory, shared: fleet.shared, role, clock, random, log },
      { intervalMs: modelTimes.feedInterval, firstWaitMs: 0, defaultNamespace: 'fn' },
    )
  }

  #held({ route: { identity } }: Exchange): (ending: string) => void {
    const { time } = this.#around
    const hold: Hold = {
      gateway: this.name,
      key: identity.key,
      fromMs: time.nowMs,
      untilMs: undefined,
      ending: undefined,
    }
    this.holds.push(hold)
    return (ending) => void Object.assign(hold, { ending, untilMs: time.nowMs })
  }

  #goneAlone(isAlone: boolean): void {
    const { nowMs } = this.#around.time
    if (isAlone) this.aloneSinceMs ??= nowMs
    else if (this.aloneSinceMs !== undefined) {
      this.alone.push({ fromMs: this.aloneSinceMs, untilMs: nowMs })
      this.aloneSinceMs = undefined
    }
  }
}

/** Tells when a gateway begins to decide alone, and when that is over. */
class WatchedMetrics extends CoordinationMetrics {
  readonly #told: (isAlone: boolean) => void

  constructor(told: (isAlone: boolean) => void) {
    super(createNoopMeter())
    this.#told = told
  }

  override degraded(isDegraded: boolean): void {
    super.degraded(isDegraded)
    this.#told(isDegraded)
  }
}

/** Tells what becomes of each call that is held. */
class WatchedQueue extends WakeQueue {
  readonly #begin: (exchange: Exchange) => (ending: string) => void

  constructor(
    deps: ConstructorParameters<typeof WakeQueue>[0],
    begin: (exchange: Exchange) => (ending: string) => void,
  ) {
    super(deps)
    this.#begin = begin
  }

  override async hold(exchange: Exchange): Promise<void> {
    const end = this.#begin(exchange)
    try {
      await super.hold(exchange)
      end('released')
    } catch (error) {
      end(GatewayError.from(error).code)
      throw error
    }
  }
}
