import {
  BufferReply,
  Exchange,
  functionIdentity,
  HeldBudget,
  type FunctionState,
  type GatewayError,
  type Handler,
  type HttpClient,
  type InstanceRecord,
  type Reply,
} from '#core'
import { LocalInstances } from '../../../../core/instances/local-instances.ts'
import { LocalReplicaDirectory } from '../../../../core/replicas/local-replica-directory.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { InstanceMetrics } from '../../../../plugins/instances/instance-metrics.ts'
import { instancesOptions } from '../../../../plugins/instances/options.ts'
import { InstancePools } from '../../../../plugins/instances/placement/instance-pools.ts'
import { Placement } from '../../../../plugins/instances/placement/placement.ts'
import { SlotQueue } from '../../../../plugins/instances/slots/slot-queue.ts'
import { SlotsClient } from '../../../../plugins/instances/slots/slots-client.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { someRequest, type RequestAndClient, type SomeRequest } from '../../http/some-request.ts'
import { type FakeSidecar, sharedKey } from './fake-sidecar.ts'

/** What a test may decide about placing. */
export interface PlacingSettings {
  readonly options?: Readonly<Record<string, unknown>>
  readonly holdTimeoutMs?: number
  readonly random?: () => number
}

/** A call that may still wait. */
export interface PlacedTestCall {
  readonly client: RequestAndClient
  readonly exchange: Exchange
  /** `X-Instance` of its answer, `provider`, or the code of its error; undefined while there is none. */
  readonly end: string | undefined
  readonly error: GatewayError | undefined
  readonly reply: Reply | undefined
}

const echo = functionIdentity('echo', 'fn')
const ttlMs = 3_600_000

/** A gateway's way of placing calls of `echo.fn`, on a fake clock, between a provider and sidecars in memory. */
export class Placing {
  readonly clock = new FakeClock()
  readonly log = new FakeLogger()
  readonly directory: LocalInstances
  readonly replicas: LocalReplicaDirectory
  readonly pools: InstancePools
  readonly metrics: InstanceMetrics
  /** Origins that the forwarder was told to forget. */
  readonly forgotten: string[] = []
  /** Calls that went to the provider. */
  providerCalls = 0
  /** What the provider answers, and what it waits for before that. */
  providerStatus = 200
  beforeProvider: () => Promise<void> = async () => {}
  readonly #placement: Placement
  readonly #metricsPage: Metrics
  readonly #sidecars = new Map<string, FakeSidecar>()
  #received = 0
  #revision = 0

  constructor({ options = {}, holdTimeoutMs = 60_000, random = () => 0 }: PlacingSettings = {}) {
    const { clock, log } = this
    this.directory = new LocalInstances({ clock, log })
    this.replicas = new LocalReplicaDirectory({ clock })
    this.#metricsPage = new Metrics(this)
    const budget = new HeldBudget(instancesOptions.parse(options))
    const metrics = new InstanceMetrics(this.#metricsPage.meter, this.directory, () => budget.count)
    const http: HttpClient = { request: async (request) => this.#sidecarAt(request.url.origin).request(request) }
    const slots = new SlotsClient({ http, log, metrics, key: sharedKey, gatewayId: 'gateway-a' })
    const shared = { clock, random, log, metrics, slots, budget, replicas: this.replicas, holdTimeoutMs }
    this.metrics = metrics
    this.pools = new InstancePools({
      ...shared,
      directory: this.directory,
      forwarder: {
        forward: () => Promise.reject(new Error('not used')),
        forget: (origin) => void this.forgotten.push(origin),
        [Symbol.asyncDispose]: async () => {},
      },
      gatewayId: 'gateway-a',
      onEjected: (_candidate, cause) => metrics.ejected(cause),
      createQueue: (pool) => new SlotQueue(shared, pool),
    })
    this.#placement = new Placement({ pools: this.pools, slots, metrics, clock, replayBodyBytes: 1024 })
  }

  /** Lets sidecars report, as ready unless a test says otherwise, each at an address of its own. */
  async report(sidecars: readonly FakeSidecar[], changed: Partial<InstanceRecord> = {}): Promise<void> {
    for (const sidecar of sidecars) {
      this.#revision += 1
      const address = changed.address ?? `10.0.0.${[...this.#sidecars.values(), sidecar].indexOf(sidecar) + 1}`
      this.#sidecars.set(`http://${address}:8080`, sidecar)
      const record: InstanceRecord = {
        id: sidecar.id,
        name: 'echo',
        namespace: 'fn',
        address,
        port: 8080,
        adminPort: 8082,
        secure: false,
        limit: sidecar.limit,
        phase: 'ready',
        revision: this.clock.nowMs() * 1000 + this.#revision,
        ...changed,
      }
      const load = { inFlight: 0, queued: 0, streams: 0, idleForMs: 0 }
      this.directory.take({ record, load, sentAtMs: this.clock.nowMs() }, { ttlMs, basis: 'report' })
    }
    await this.settle()
  }

  /** Lets every lease end. */
  async expire(): Promise<void> {
    await this.clock.advance(ttlMs + 1000)
  }

  /** Sends a call of `echo.fn`. */
  async send(request: SomeRequest = {}, settings: { readonly heldMs?: number } = {}): Promise<PlacedTestCall> {
    const call = this.begin(request, settings)
    await this.settle()
    return call
  }

  /** Sends a call, and lets nothing happen after that. */
  begin(request: SomeRequest = {}, settings: { readonly heldMs?: number } = {}): PlacedTestCall {
    this.#received += 1
    const client = someRequest(request)
    const exchange = new Exchange(`call-${this.#received}`, client.request, {
      route: { identity: echo, rest: '', target: '/function/echo.fn' },
      times: { receivedMs: this.clock.monotonicMs(), forwardedMs: 0, heldMs: settings.heldMs ?? 0 },
      startTime: '0',
    })
    const call: { -readonly [Key in keyof PlacedTestCall]: PlacedTestCall[Key] } = {
      client,
      exchange,
      end: undefined,
      error: undefined,
      reply: undefined,
    }
    this.#placement.handle(exchange, this.#next).then(
      (reply) => {
        call.reply = reply
        call.end = reply.headers[reply.headers.indexOf('X-Instance') + 1]
        reply.discard() // ends it, as the last byte would
      },
      (error: GatewayError) => {
        call.error = error
        call.end = error.code
      },
    )
    return call
  }

  /** Sends several calls, one after the other, none of which is waited for. */
  async sendMany(count: number, request: SomeRequest = {}): Promise<PlacedTestCall[]> {
    const calls: PlacedTestCall[] = []
    for (let i = 0; i < count; i += 1) calls.push(await this.send(request))
    return calls
  }

  /** Tells the replica directory of annotations of the function. */
  annotate(annotations: Readonly<Record<string, string>>): void {
    const state: FunctionState = { ...someState, annotations }
    this.replicas.apply(state)
  }

  /** Lets everything happen that can happen now. */
  async settle(): Promise<void> {
    for (let turn = 0; turn < 4; turn += 1) await this.clock.advance(0)
  }

  /** The lines of the metrics page that contain `text`. */
  async metricLines(text: string): Promise<readonly string[]> {
    const page = Buffer.concat([...(await this.#metricsPage.page())]).toString()
    return page.split('\n').filter((line) => line.includes(text) && !line.startsWith('#'))
  }

  readonly #next: Handler = async (exchange) => {
    if (exchange.upstream !== undefined) return this.#sidecarAt(exchange.upstream.origin).call(exchange)
    this.providerCalls += 1
    await this.beforeProvider()
    return new BufferReply(this.providerStatus, { 'X-Instance': 'provider' })
  }

  #sidecarAt(origin: string): FakeSidecar {
    const found = this.#sidecars.get(origin)
    if (found === undefined) throw new Error(`nothing is at ${origin}`)
    return found
  }
}

const someState: FunctionState = {
  identity: echo,
  phase: 'ready',
  desired: 1,
  available: 1,
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
