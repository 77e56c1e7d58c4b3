import {
  BufferReply,
  Exchange,
  functionIdentity,
  type Coordinator,
  type FunctionIdentity,
  type FunctionState,
  type GatewayError,
  type Handler,
  type InvocationSink,
  type Reply,
  type Upstream,
} from '#core'
import { MemoryCoordinator } from '../../../../core/coordination/memory-coordinator.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { InvocationEventHub } from '../../../../core/telemetry/invocation-event-hub.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { HeldBudget } from '../../../../core/holding/held-budget.ts'
import { scaleFromZeroOptions } from '../../../../plugins/scale-from-zero/options.ts'
import { ReadyGate } from '../../../../plugins/scale-from-zero/ready-gate.ts'
import { WakeMetrics } from '../../../../plugins/scale-from-zero/wake-metrics.ts'
import { WakeQueue } from '../../../../plugins/scale-from-zero/wake-queue.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { type RequestAndClient, someRequest, type SomeRequest } from '../../http/some-request.ts'
import { FakeServiceQuery } from './fake-service-query.ts'

/** What a test may decide about the waking of functions. */
export interface WakingSettings {
  readonly options?: Readonly<Record<string, unknown>>
  readonly holdTimeoutMs?: number
  /** Default: a memory coordinator that publishes to the directory. */
  readonly createCoordinator?: (deps: { clock: FakeClock; directory: LocalReplicaDirectory }) => Coordinator
  /** Another gateway, whose time and platform this one shares. */
  readonly beside?: Waking
}

/** The function that calls name unless they say otherwise. */
export const echo = functionIdentity('echo', 'fn')

/** Waking on a fake clock and a platform in memory, without jitter. */
export class Waking {
  readonly clock: FakeClock
  readonly log = new FakeLogger()
  readonly query: FakeServiceQuery
  readonly directory: LocalReplicaDirectory
  readonly coordinator: Coordinator
  readonly identity = echo
  readonly events: InvocationEventHub
  readonly queue: WakeQueue
  readonly gate: ReadyGate
  readonly #metrics: Metrics

  constructor({ options = {}, holdTimeoutMs = 60_000, createCoordinator, beside }: WakingSettings = {}) {
    this.clock = beside?.clock ?? new FakeClock()
    this.query = beside?.query ?? new FakeServiceQuery(this.clock)
    this.directory = new LocalReplicaDirectory(this)
    this.events = new InvocationEventHub(this)
    this.#metrics = new Metrics(this)
    this.coordinator = createCoordinator?.(this) ?? new MemoryCoordinator(this)
    const decoded = scaleFromZeroOptions.parse(options)
    const budget = new HeldBudget(decoded)
    const metrics = new WakeMetrics(this.#metrics.meter, () => budget.count)
    const random = () => 0
    const { clock, log, query, directory, coordinator, events } = this
    const shared = { clock, log, query, directory, coordinator, events, random, metrics, budget }
    this.queue = new WakeQueue({ ...shared, options: decoded, holdTimeoutMs })
    this.gate = new ReadyGate({ directory, queue: this.queue, clock, random })
  }

  /** Has a call held. */
  hold(identity: FunctionIdentity = echo, request: SomeRequest = {}): HeldCall {
    const client = someRequest(request)
    const exchange = exchangeOf(identity, client)
    return new HeldCall(client, this.queue.hold(exchange), exchange)
  }

  /** Sends a call through the gate; `next` is what stands behind it. */
  pass(
    next: Handler = async () => new BufferReply(200),
    request: SomeRequest = {},
    upstream?: Upstream,
  ): HeldCall<Reply> {
    const client = someRequest(request)
    const arrived = exchangeOf(echo, client)
    const exchange = upstream === undefined ? arrived : arrived.placedOn(upstream)
    return new HeldCall(client, this.gate.handle(exchange, next), exchange)
  }

  /** What the directory knows of `echo`. */
  get state(): FunctionState | undefined {
    return this.directory.get(echo.key)
  }

  /** Tells the directory of `echo`, as the feed does. */
  observe(observed: Partial<FunctionState>): void {
    this.directory.apply({ ...someState, observedAtMs: this.clock.nowMs(), ...observed })
  }

  /** Names of the announcements from now on. */
  announced(): string[] {
    const names: string[] = []
    const sink: InvocationSink = {
      held: () => void names.push('held'),
      woken: (_exchange, heldMs) => void names.push(`woken after ${heldMs} ms`),
    }
    this.events.subscribe(sink)
    return names
  }

  /** The lines of the metrics page that contain `text`. */
  async metricLines(text: string): Promise<readonly string[]> {
    const page = Buffer.concat([...(await this.#metrics.page())]).toString()
    return page.split('\n').filter((line) => line.includes(text) && !line.startsWith('#'))
  }
}

/** A call that may still wait. */
export class HeldCall<T = void> {
  readonly client: RequestAndClient
  readonly exchange: Exchange
  /** Rejects as the call does. */
  readonly outcome: Promise<T>
  /** How the call ended: `released`, or the code of its error; undefined while it waits. */
  ended: string | undefined
  /** The error it ended with. */
  error: GatewayError | undefined
  value: T | undefined

  constructor(client: RequestAndClient, outcome: Promise<T>, exchange: Exchange) {
    this.client = client
    this.outcome = outcome
    this.exchange = exchange
    outcome.then(
      (value) => {
        this.ended = 'released'
        this.value = value
      },
      (error: GatewayError) => {
        this.ended = error.code
        this.error = error
      },
    )
  }
}

/** A state of `echo` at zero. */
export const someState: FunctionState = {
  identity: echo,
  phase: 'zero',
  desired: 0,
  available: 0,
  min: 1,
  max: 5,
  fence: 0,
  observedAtMs: 0,
  reason: '',
  retryAtMs: 0,
  failures: 0,
  labels: {},
  annotations: {},
}

function exchangeOf(identity: FunctionIdentity, { request }: RequestAndClient): Exchange {
  return new Exchange('call-1', request, {
    route: { identity, rest: '', target: `/function/${identity.key}` },
    times: { receivedMs: 1_000_000, forwardedMs: 0, heldMs: 0 },
    startTime: '0',
  })
}
