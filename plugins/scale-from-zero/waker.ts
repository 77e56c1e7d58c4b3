import {
  backoffDelayMs,
  GatewayError,
  stateFromStatus,
  type Clock,
  type Coordinator,
  type FunctionState,
  type Lease,
  type Logger,
  type Random,
  type ServiceQuery,
} from '#core'
import type { ScaleFromZeroOptions } from './options.ts'
import { pollPauseMs } from './poll-schedule.ts'
import type { Wake } from './wake.ts'
import type { WakeMetrics } from './wake-metrics.ts'

/** What waking works with. */
export interface WakerDeps {
  readonly query: ServiceQuery
  readonly coordinator: Coordinator
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly metrics: WakeMetrics
  readonly options: ScaleFromZeroOptions
}

/** Pauses between attempts to become leader while another one leads: the net under lost messages. */
const followerBackoff = { firstMs: 5, maxMs: 1000, factor: 2, jitterRatio: 0.2 }
const retryBackoff = { firstMs: 25, maxMs: 1000, factor: 2, jitterRatio: 0.5 }

/**
 * Brings one function from zero to ready, and publishes what it finds. Only the leader talks to the provider.
 *
 * Guarantees per wake: one accepted scale call, repeated only when it was not accepted or shows no effect for long; status
 * calls as `poll-schedule.ts` says. Ends when the function is ready, absent or cannot be started, or when nobody waits.
 */
export class Waker {
  readonly #deps: WakerDeps

  constructor(deps: WakerDeps) {
    this.#deps = deps
  }

  /**
   * Runs a wake to its end. Callers learn of readiness through the directory.
   * @throws GatewayError why the function cannot be started; the abort reason when nobody waits any more
   */
  async run(wake: Wake): Promise<void> {
    const { coordinator, clock, random } = this.#deps
    for (let attempt = 1; wake.ending === undefined; attempt += 1) {
      wake.signal.throwIfAborted()
      const acquired = await coordinator.acquire(wake.identity)
      if (acquired.role === 'leader' && (await this.#leadAndRelease(wake, acquired.lease))) return
      await clock.sleep(backoffDelayMs(followerBackoff, attempt, random), wake.signal)
    }
  }

  async #leadAndRelease(wake: Wake, lease: Lease): Promise<boolean> {
    try {
      return await this.#lead(wake, lease)
    } finally {
      await this.#deps.coordinator.release(lease)
    }
  }

  /** @returns true when the function is ready, false when the lease is lost: another leader goes on */
  async #lead(wake: Wake, lease: Lease): Promise<boolean> {
    const { coordinator, clock, metrics } = this.#deps
    const startedMs = clock.monotonicMs()
    let scale: ScaleProgress | undefined
    let troubledSinceMs: number | undefined
    for (;;) {
      const state = await this.#observe(wake, lease)
      if (scale === undefined) metrics.phaseEnded(wake.identity, 'status', clock.monotonicMs() - startedMs)
      wake.seen = state
      if (!(await coordinator.publish(state))) return false
      if (state.phase === 'ready') {
        this.#ready(wake, scale, startedMs)
        return true
      }
      if (state.reason !== '') troubledSinceMs ??= clock.monotonicMs()
      this.#refuseTrouble(state, troubledSinceMs)
      if (state.phase === 'zero') scale = await this.#scale(wake, { state, lease, progress: scale })
      else scale ??= { sentMs: clock.monotonicMs(), resendAfterMs: this.#deps.options.rescaleAfter, sent: 0 }
      await this.#pause(wake, startedMs)
      if (!(await coordinator.renew(lease))) return false
    }
  }

  /** Asks for the status until an answer comes, or the provider has failed for too long. */
  async #observe(wake: Wake, lease: Lease): Promise<FunctionState> {
    const { query, clock, log } = this.#deps
    const { identity, signal } = wake
    return this.#persistently(wake, async () => {
      const observedAtMs = clock.nowMs()
      const status = await query.status(identity, signal)
      if (status !== undefined) return stateFromStatus(identity, status, { observedAtMs, fence: lease.fence, log })
      throw new GatewayError('function_not_found', `no function named "${identity.key}"`)
    })
  }

  /** Gives up on a function whose provider has said for a while what keeps it from starting, such as a crash loop. */
  #refuseTrouble({ reason, identity }: FunctionState, sinceMs: number | undefined): void {
    const { clock, options } = this.#deps
    if (sinceMs === undefined || reason === '' || clock.monotonicMs() - sinceMs < options.crashPatience) return
    const message = `"${identity.key}" could not be started: ${reason}`
    throw new GatewayError('no_ready_replica', message, { details: { reason } })
  }

  async #scale(
    wake: Wake,
    at: { state: FunctionState; lease: Lease; progress: ScaleProgress | undefined },
  ): Promise<ScaleProgress> {
    const { query, clock, log, options, metrics } = this.#deps
    const { state, lease, progress } = at
    const nowMs = clock.monotonicMs()
    if (progress !== undefined && nowMs - progress.sentMs < progress.resendAfterMs) return progress
    const { identity, signal } = wake
    const replicas = Math.max(state.min, 1)
    const sent = (progress?.sent ?? 0) + 1
    await this.#persistently(wake, async () => {
      log.info(`[Scale ${sent}] function=${identity.key} 0 => ${replicas} requested`)
      await query.scale(identity, replicas, { fence: lease.fence, signal })
    })
    if (progress === undefined) metrics.phaseEnded(identity, 'scale', clock.monotonicMs() - nowMs)
    return {
      sentMs: clock.monotonicMs(),
      resendAfterMs: (progress?.resendAfterMs ?? options.rescaleAfter / 2) * 2,
      sent,
    }
  }

  /** Repeats a call while the provider does not answer, with back-off, for as long as `providerPatience`. */
  async #persistently<T>(wake: Wake, call: () => Promise<T>): Promise<T> {
    const { clock, random, options } = this.#deps
    const startedMs = clock.monotonicMs()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call()
      } catch (error) {
        wake.signal.throwIfAborted()
        const known = GatewayError.from(error)
        const spentMs = clock.monotonicMs() - startedMs
        if (known.code !== 'provider_unavailable' || spentMs >= options.providerPatience) throw known
      }
      await clock.sleep(backoffDelayMs(retryBackoff, attempt, random), wake.signal)
    }
  }

  #ready(wake: Wake, scale: ScaleProgress | undefined, startedMs: number): void {
    const { clock, log, metrics } = this.#deps
    if (scale === undefined) return
    const nowMs = clock.monotonicMs()
    metrics.phaseEnded(wake.identity, 'ready', nowMs - scale.sentMs)
    log.info(`[Ready] function=${wake.identity.key} waited for - ${((nowMs - startedMs) / 1000).toFixed(4)}s`)
  }

  async #pause(wake: Wake, startedMs: number): Promise<void> {
    const { clock, options, random } = this.#deps
    await clock.sleep(pollPauseMs(options, clock.monotonicMs() - startedMs, random), wake.signal)
  }
}

interface ScaleProgress {
  /** When the last scale call was accepted (or the function was first seen wanted), monotonic. */
  readonly sentMs: number
  /** After how long without effect it is sent again. */
  readonly resendAfterMs: number
  readonly sent: number
}
