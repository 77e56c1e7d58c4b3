import {
  backoffDelayMs,
  GatewayError,
  saysTheSame,
  stateFromStatus,
  type Acquired,
  type Clock,
  type Coordinator,
  type FunctionState,
  type Lease,
  type Logger,
  type Random,
  type ServiceQuery,
} from '#core'
import { LeaseKeeper } from './lease-keeper.ts'
import type { ScaleFromZeroOptions } from './options.ts'
import { pollPauseMs } from './poll-schedule.ts'
import { wakeEnd, type WakeEnd } from './wake-end.ts'
import type { WakeFailures } from './wake-failures.ts'
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

const retryBackoff = { firstMs: 25, maxMs: 1000, factor: 2, jitterRatio: 0.5 }
/** Pauses before the next attempt to lead, after the lease was lost. */
const lostBackoff = { firstMs: 5, maxMs: 1000, factor: 2, jitterRatio: 0.5 }

/**
 * Brings one function from zero to ready, and publishes what it finds. Only the leader talks to the provider.
 *
 * Guarantees per wake: one accepted scale call, repeated only when it was not accepted or shows no effect for long; status
 * calls as `poll-schedule.ts` says. Ends when the function is ready, absent or cannot be started, or when nobody waits.
 */
export class Waker {
  readonly #deps: WakerDeps
  readonly #failures: WakeFailures
  /** Wakes led here at the moment. */
  #leading = 0

  constructor(deps: WakerDeps, failures: WakeFailures) {
    this.#deps = deps
    this.#failures = failures
  }

  /** Runs a wake to its end, which callers of all gateways learn through the directory. Never rejects. */
  async run(wake: Wake): Promise<WakeEnd> {
    const { coordinator, clock, random } = this.#deps
    try {
      let aboveFence = 0
      for (let losses = 1; wake.ending === undefined;) {
        wake.signal.throwIfAborted()
        const acquired = await coordinator.acquire(wake.identity, aboveFence)
        if (acquired.role === 'follower') {
          await this.#follow(wake, acquired)
          continue
        }
        const led = await this.#leadAndRelease(wake, acquired.lease)
        if (led.isReady) return { outcome: 'ready' }
        aboveFence = led.lostTo
        await clock.sleep(backoffDelayMs(lostBackoff, losses, random), wake.signal)
        losses += 1
      }
      return wakeEnd(wake, clock.monotonicMs())
    } catch (reason) {
      return wakeEnd(wake, clock.monotonicMs(), reason)
    }
  }

  async #follow(wake: Wake, { again }: Extract<Acquired, { role: 'follower' }>): Promise<void> {
    const { clock, metrics } = this.#deps
    wake.role = 'follower'
    if (wake.ending !== undefined) return
    const startedMs = clock.monotonicMs()
    try {
      await again(wake.signal)
    } finally {
      metrics.leaseWaited(clock.monotonicMs() - startedMs)
    }
  }

  async #leadAndRelease(wake: Wake, lease: Lease): Promise<Led> {
    const { coordinator, clock } = this.#deps
    const keeper = new LeaseKeeper(this.#deps, lease)
    const signal = AbortSignal.any([wake.signal, keeper.lost])
    wake.role = 'leader'
    this.#leading += 1
    try {
      return await this.#lead(wake, { lease, keeper, signal })
    } catch (reason) {
      if (keeper.lost.aborted) return this.#lost(wake, fenceIn(reason))
      const end = wakeEnd(wake, clock.monotonicMs(), reason)
      // Before the release: the next leader must not repeat what has just failed.
      const isNews = end.error !== undefined && end.error !== wake.refusal
      if (isNews && !(await this.#failures.publish(wake, lease, end.error))) return this.#lost(wake)
      throw end.error ?? reason
    } finally {
      this.#leading -= 1
      keeper[Symbol.dispose]()
      await coordinator.release(lease)
    }
  }

  #lost(wake: Wake, lostTo = 0): Led {
    wake.role = 'follower'
    return { isReady: false, lostTo }
  }

  /** @throws why the function cannot be started; the signal's reason when the lease is lost or nobody waits any more */
  async #lead(wake: Wake, leadership: Leadership): Promise<Led> {
    const { clock, metrics } = this.#deps
    const startedMs = clock.monotonicMs()
    let scale: ScaleProgress | undefined
    let published: FunctionState | undefined
    let troubledSinceMs: number | undefined
    for (;;) {
      const askedMs = clock.monotonicMs()
      const state = await this.#observe(wake, leadership)
      if (scale === undefined) metrics.phaseEnded(wake.identity, 'status', clock.monotonicMs() - startedMs)
      wake.seen = state
      if (published === undefined || !saysTheSame(published, state)) await this.#publish(state, leadership)
      published = state
      if (state.phase === 'ready') {
        this.#ready(wake, scale, startedMs)
        return { isReady: true }
      }
      if (state.reason !== '') troubledSinceMs ??= clock.monotonicMs()
      this.#refuseTrouble(state, troubledSinceMs)
      if (state.phase === 'zero') scale = await this.#scale(leadership, { state, askedMs, progress: scale })
      else scale ??= { sentMs: clock.monotonicMs(), resendAfterMs: this.#deps.options.rescaleAfter, sent: 0 }
      await this.#pause(startedMs, leadership.signal)
    }
  }

  async #publish(state: FunctionState, { keeper }: Leadership): Promise<void> {
    if (await this.#deps.coordinator.publish(state)) return
    keeper.lose()
    keeper.lost.throwIfAborted()
  }

  /** Asks for the status until an answer comes, or the provider has failed for too long. */
  async #observe({ identity }: Wake, { lease, signal }: Leadership): Promise<FunctionState> {
    const { query, clock, log } = this.#deps
    return this.#persistently(signal, async () => {
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
    { lease, keeper, signal }: Leadership,
    { state, askedMs, progress }: { state: FunctionState; askedMs: number; progress: ScaleProgress | undefined },
  ): Promise<ScaleProgress> {
    const { query, clock, log, options, metrics } = this.#deps
    // Counted to when the status was asked for: a process that was paused before it read the answer has waited for nothing.
    if (progress !== undefined && askedMs - progress.sentMs < progress.resendAfterMs) return progress
    const nowMs = clock.monotonicMs()
    const { identity } = lease
    const replicas = Math.max(state.min, 1)
    const sent = (progress?.sent ?? 0) + 1
    await this.#persistently(signal, async () => {
      log.info(`[Scale ${sent}] function=${identity.key} 0 => ${replicas} requested`)
      await query.scale(identity, replicas, { fence: lease.fence, signal }).catch((error: unknown) => {
        if (fenceIn(error) > 0) keeper.lose()
        throw error
      })
    })
    if (progress === undefined) metrics.phaseEnded(identity, 'scale', clock.monotonicMs() - nowMs)
    return {
      sentMs: clock.monotonicMs(),
      resendAfterMs: (progress?.resendAfterMs ?? options.rescaleAfter / 2) * 2,
      sent,
    }
  }

  /** Repeats a call while the provider does not answer, with back-off, for as long as `providerPatience`. */
  async #persistently<T>(signal: AbortSignal, call: () => Promise<T>): Promise<T> {
    const { clock, random, options } = this.#deps
    const startedMs = clock.monotonicMs()
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await call()
      } catch (error) {
        const known = GatewayError.from(error)
        if (known.code === 'lease_lost') throw known
        signal.throwIfAborted()
        const spentMs = clock.monotonicMs() - startedMs
        if (known.code !== 'provider_unavailable' || spentMs >= options.providerPatience) throw known
      }
      await clock.sleep(backoffDelayMs(retryBackoff, attempt, random), signal)
    }
  }

  #ready(wake: Wake, scale: ScaleProgress | undefined, startedMs: number): void {
    const { clock, log, metrics } = this.#deps
    if (scale === undefined) return
    const nowMs = clock.monotonicMs()
    metrics.phaseEnded(wake.identity, 'ready', nowMs - scale.sentMs)
    log.info(`[Ready] function=${wake.identity.key} waited for - ${((nowMs - startedMs) / 1000).toFixed(4)}s`)
  }

  async #pause(startedMs: number, signal: AbortSignal): Promise<void> {
    const { clock, options, random } = this.#deps
    const moment = { elapsedMs: clock.monotonicMs() - startedMs, wakes: this.#leading }
    await clock.sleep(pollPauseMs(options, moment, random), signal)
  }
}

/** A lease that is being kept, and a signal that aborts when it is lost or nobody waits any more. */
interface Leadership {
  readonly lease: Lease
  readonly keeper: LeaseKeeper
  readonly signal: AbortSignal
}

/** How a leadership ended: `lostTo` is the fence that the provider has seen, 0 when unknown. */
type Led = { readonly isReady: true } | { readonly isReady: false; readonly lostTo: number }

interface ScaleProgress {
  /** When the last scale call was accepted (or the function was first seen wanted), monotonic. */
  readonly sentMs: number
  /** After how long without effect it is sent again. */
  readonly resendAfterMs: number
  readonly sent: number
}

/** The fence for which a provider refused a scale call, or 0. */
function fenceIn(error: unknown): number {
  return error instanceof GatewayError && error.code === 'lease_lost' ? Number(error.details['fence'] ?? 0) : 0
}
