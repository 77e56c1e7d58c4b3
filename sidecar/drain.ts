import type { Clock, Logger } from '#core/lean'
import type { Traffic } from './inbound/traffic.ts'
import type { InstancePhaseTracker } from './instance-phase.ts'
import type { Membership } from './membership/membership.ts'
import type { SidecarSettings } from './settings/sidecar-settings.ts'

/** What is drained. */
export interface DrainDeps {
  readonly clock: Clock
  readonly log: Logger
  readonly phase: InstancePhaseTracker
  readonly traffic: Traffic
  readonly membership: () => Membership | undefined
  readonly options: SidecarSettings['leaving']
}

/** What a gateway sent just before it took the instance out may arrive after its word that it has; a streamed body cannot be sent again. */
const lateArrivalMs = 100
/** How often a queue is looked at that still has calls in it, while none is in flight. */
const queuePollMs = 10

/** Takes the instance out of service without losing a call: once, however often it is asked to. */
export class Drain {
  readonly #deps: DrainDeps
  readonly #deadline = new AbortController()
  #endsAtMs = Number.POSITIVE_INFINITY
  #drained: Promise<void> | undefined
  readonly #over = Promise.withResolvers<void>()

  constructor(deps: DrainDeps) {
    this.#deps = deps
  }

  /** Aborts when the grace period is over, which begins with the first call of {@link begin}. */
  get deadline(): AbortSignal {
    return this.#deadline.signal
  }

  /** What is left of the grace period, milliseconds. */
  get remainingMs(): number {
    return Math.max(0, this.#endsAtMs - this.#deps.clock.monotonicMs())
  }

  /**
   * Leaves, in this order: gateways are told, and answered as before until all of them have acknowledged; then they are sent elsewhere,
   * and streams are ended where that is the policy. Resolves when nothing is under way and since then nobody has called for the quiet
   * period, or the grace period is over. Other callers are served all the time, and after it. Never rejects.
   */
  begin(): Promise<void> {
    this.#drained ??= this.#drain().then(this.#over.resolve)
    return this.#drained
  }

  /** Resolves as {@link begin} does, once somebody has called that; never before. */
  get over(): Promise<void> {
    return this.#over.promise
  }

  async #drain(): Promise<void> {
    const { clock, log, phase, traffic, membership, options } = this.#deps
    this.#endsAtMs = clock.monotonicMs() + options.gracePeriodMs
    clock.after(options.gracePeriodMs, () => this.#deadline.abort())
    phase.leave()
    traffic.leave()
    log.info('leaving: gateways are told, calls are still answered', { ...traffic.load })
    await membership()?.leave(this.deadline)
    await clock.sleep(lateArrivalMs, this.deadline).catch(() => {})
    traffic.inbound.turnGatewaysAway()
    if (options.streams === 'cut') traffic.streams.cutAll()
    await this.#becomeQuiet(clock.monotonicMs())
    if (traffic.ledger.inFlight === 0) log.info('drained')
    else log.warn('the grace period is over: what is left will be cut', { ...traffic.load })
  }

  /** @param toldMs since when no gateway calls any more, by the monotonic clock: others may not have noticed yet, called or not */
  async #becomeQuiet(toldMs: number): Promise<void> {
    const { clock, traffic, options } = this.#deps
    const { ledger, queue, inbound } = traffic
    while (!this.deadline.aborted) {
      await ledger.idle(this.deadline)
      const quietForMs = clock.monotonicMs() - Math.max(toldMs, inbound.quietSinceMs)
      if (queue.size === 0 && ledger.inFlight === 0 && quietForMs >= options.quietPeriodMs) return
      const pauseMs = queue.size > 0 ? queuePollMs : Math.max(1, options.quietPeriodMs - quietForMs)
      await clock.sleep(pauseMs, this.deadline).catch(() => {})
    }
  }
}
