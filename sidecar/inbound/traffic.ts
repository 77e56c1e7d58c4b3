import {
  type Clock,
  functionIdentity,
  type GatewayRequest,
  type InstanceLoad,
  instanceHeader,
  type InstancePhase,
  labelText,
  type Random,
  type Reply,
} from '#core/lean'
import type { FunctionRunner } from '../function/function-runner.ts'
import type { SidecarSettings } from '../settings/sidecar-settings.ts'
import { CallLedger } from './call-ledger.ts'
import { CallMetrics } from './call-metrics.ts'
import { CallQueue } from './call-queue.ts'
import { Inbound } from './inbound.ts'
import { Reservations } from './reservations.ts'
import { Slots } from './slots.ts'
import { SlotsApi } from './slots-api.ts'
import { Streams } from './streams.ts'
import { watchdogAnswer } from './watchdog-paths.ts'

/** What the traffic of one instance works with. */
export interface TrafficDeps {
  readonly clock: Clock
  readonly random: Random
  readonly runner: FunctionRunner
  readonly phase: () => InstancePhase
}

/** Everything that comes in on the port for calls: slots for gateways, probes of watchdog users, and calls. */
export class Traffic {
  readonly slots: Slots
  readonly reservations: Reservations
  readonly queue: CallQueue
  readonly ledger: CallLedger
  readonly streams: Streams
  readonly metrics: CallMetrics
  readonly inbound: Inbound
  readonly #id: string
  readonly #slotsApi: SlotsApi | undefined
  readonly #phase: () => InstancePhase
  readonly #answersProbes: boolean

  constructor({ instance, listen, calls, membership, function: settings }: SidecarSettings, deps: TrafficDeps) {
    const { clock, random, runner } = deps
    this.#id = instance.id
    this.slots = new Slots(calls.limit)
    const { slots } = this
    this.reservations = new Reservations({ slots, clock, random })
    const { reservations } = this
    this.queue = new CallQueue(
      { slots, clock },
      { length: calls.queueLength, timeoutMs: calls.queueTimeoutMs, readTimeoutMs: listen.readTimeoutMs },
    )
    this.ledger = new CallLedger(clock)
    this.streams = new Streams(this.ledger)
    this.metrics = new CallMetrics(labelText('function_name', functionIdentity(instance.name, instance.namespace).key))
    const { queue, ledger, streams, metrics } = this
    this.inbound = new Inbound({ clock, random, runner, slots, reservations, queue, ledger, streams, metrics }, calls)
    const { secret } = membership
    this.#slotsApi = secret === '' ? undefined : new SlotsApi({ slots, reservations, clock }, secret)
    this.#phase = deps.phase
    // In front of a server that somebody else runs, these paths are that server's.
    this.#answersProbes = settings.command.length > 0
  }

  /** What there is to do now. */
  get load(): InstanceLoad {
    return this.ledger.load(this.queue.size)
  }

  /** Answers one request. */
  handle(request: GatewayRequest): Promise<Reply> {
    if ((request.header(instanceHeader) ?? this.#id) !== this.#id) return this.inbound.refuseMistaken()
    const reply = this.#slotsApi?.answer(request)
    if (reply !== undefined) return reply
    const probed = this.#answersProbes ? watchdogAnswer(request, this.#phase()) : undefined
    return probed === undefined ? this.inbound.handle(request) : Promise.resolve(probed)
  }

  /** The instance leaves: no gateway is given a slot any more. */
  leave(): void {
    this.#slotsApi?.leave()
  }
}
