import { backoffDelayMs, type Clock, type Logger, type Random } from '#core/lean'
import type { Announcement } from './announcement.ts'
import { type Outcome, outcomeOf } from './outcome.ts'
import { ReportClient } from './report-client.ts'
import { TimeLimit } from './time-limit.ts'
import { TroubleLog } from './trouble-log.ts'

/** What a line works with. */
export interface GatewayLineDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly url: URL
  readonly address: string
  readonly announcement: Announcement
  /** The address belongs to the gateway no more, and has not taken the last report. Nothing follows. */
  readonly onGone: () => void
}

/** Longest time for one report, in milliseconds. */
const attemptMs = 3_000
/** Longest time that a newer report waits behind one that is under way, in milliseconds. */
const patienceMs = 100
/** Between heartbeats before a gateway has said how long it remembers, in milliseconds. */
const firstHeartbeatMs = 3_000
/** What a gateway may make of the time between heartbeats, in milliseconds. */
const heartbeatLimitsMs = { least: 100, most: 60_000 }
const heartbeatJitterRatio = 0.2
const retries = { firstMs: 200, factor: 2, jitterRatio: 0.5 }
const farewells = { firstMs: 100, maxMs: 400, factor: 2, jitterRatio: 0.5 }
/** How often a departure is reported to a gateway that does not take it. */
const mostFarewells = 3

/**
 * Keeps one address of one gateway informed. One report is under way at a time, and it is always written when it is sent: whatever came
 * in between is in it.
 */
export class GatewayLine implements Disposable {
  readonly #deps: GatewayLineDeps
  readonly #client: ReportClient
  readonly #trouble: TroubleLog
  #underWay: TimeLimit | undefined
  #sentRevision = 0
  #heartbeatMs = firstHeartbeatMs
  #failures = 0
  #next: Disposable | undefined
  #isRetired = false
  #isStopped = false

  constructor(deps: GatewayLineDeps) {
    this.#deps = deps
    this.#client = new ReportClient(deps)
    this.#trouble = new TroubleLog(deps.log)
  }

  /** Between two heartbeats, in milliseconds: a third of the time for which the gateway remembers. */
  get heartbeatMs(): number {
    return this.#heartbeatMs
  }

  /** Reports now if there is something that was not sent yet; soon, if a report is under way. */
  tell(): void {
    if (this.#isStopped || this.#deps.announcement.revision() === this.#sentRevision) return
    if (this.#underWay === undefined) this.#beat()
    else this.#underWay.shorten(patienceMs)
  }

  /** The name of the gateway leads here no more: told as before, until it does not take a report. */
  retire(): void {
    this.#isRetired = true
  }

  /** The name of the gateway leads here, again. */
  revive(): void {
    this.#isRetired = false
  }

  /** Gives up what is under way and reports once more, with few repetitions. Resolves with what became of it. */
  async leave(deadline: AbortSignal): Promise<Outcome> {
    this.#stop()
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#report(deadline)
      if (outcome.kind !== 'failed' || attempt === mostFarewells || deadline.aborted) return outcome
      const { clock, random } = this.#deps
      await clock.sleep(backoffDelayMs(farewells, attempt, random), deadline).catch(() => undefined)
    }
  }

  /** Ends without a word. */
  [Symbol.dispose](): void {
    this.#stop()
    this.#client[Symbol.dispose]()
  }

  #stop(): void {
    this.#isStopped = true
    this.#next?.[Symbol.dispose]()
    this.#underWay?.end()
  }

  #beat(): void {
    this.#next?.[Symbol.dispose]()
    void this.#report().then((outcome) => this.#settle(outcome))
  }

  #settle(outcome: Outcome): void {
    const { clock, announcement, onGone } = this.#deps
    if (this.#isStopped) return
    if (this.#isRetired && outcome.kind !== 'taken') {
      onGone()
      return
    }
    this.#trouble.note(outcome)
    this.#failures = outcome.kind === 'taken' ? 0 : this.#failures + 1
    if (outcome.kind === 'taken') this.#heartbeatMs = heartbeatOf(outcome.receipt.ttlMs)
    const isStale = announcement.revision() !== this.#sentRevision
    this.#next = clock.after(isStale ? 0 : this.#pauseMs(), () => this.#beat())
  }

  #pauseMs(): number {
    const { random } = this.#deps
    if (this.#failures > 0) return backoffDelayMs({ ...retries, maxMs: this.#heartbeatMs }, this.#failures, random)
    return this.#heartbeatMs * (1 - heartbeatJitterRatio * random())
  }

  async #report(deadline?: AbortSignal): Promise<Outcome> {
    const { clock, announcement } = this.#deps
    const limit = new TimeLimit(clock, attemptMs)
    if (deadline?.aborted) limit.end()
    deadline?.addEventListener('abort', limit.end, { once: true })
    this.#underWay = limit
    this.#sentRevision = announcement.revision()
    try {
      return outcomeOf(await this.#client.post(announcement.text(), limit.signal))
    } catch (error) {
      return { kind: 'failed', reason: error instanceof Error ? error.message : String(error) }
    } finally {
      limit[Symbol.dispose]()
      deadline?.removeEventListener('abort', limit.end)
      if (this.#underWay === limit) this.#underWay = undefined
    }
  }
}

function heartbeatOf(ttlMs: number): number {
  return Math.min(heartbeatLimitsMs.most, Math.max(heartbeatLimitsMs.least, ttlMs / 3))
}
