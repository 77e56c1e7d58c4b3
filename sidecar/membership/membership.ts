import {
  type Clock,
  type InstanceLoad,
  type InstancePhase,
  type InstanceRecord,
  type Logger,
  type Random,
} from '#core/lean'
import { Announcement } from './announcement.ts'
import { GatewayAddresses } from './gateway-addresses.ts'
import { type Lookup, lookUpAll } from './look-up.ts'
import type { Outcome } from './outcome.ts'

/** What the instance is doing at the moment. */
export interface InstanceView {
  readonly phase: InstancePhase
  readonly load: InstanceLoad
}

/** What membership works with. */
export interface MembershipDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  /** Base URLs, as {@link gatewayUrl} reads them. A host name stands for all of its addresses. */
  readonly gateways: readonly URL[]
  /** Of this instance, made of the key of the gateways; signs every report. */
  readonly secret: string
  readonly facts: Omit<InstanceRecord, 'phase' | 'revision'>
  /** Asked for every report. */
  readonly view: () => InstanceView
  /** Finds the addresses of a host name. Default: as every program of this machine does. */
  readonly lookup?: Lookup
}

/** Longest that {@link Membership.leave} waits for gateways, in milliseconds. */
const leaveMs = 2_000

/**
 * Keeps this instance in the directories of gateways: reports to every one of them, and to every address of each, independently of the
 * others: what is true now at once, each change at once, and a heartbeat at a third of the time for which a gateway remembers.
 *
 * Order: start -> changed* -> leave. After `leave` nothing is reported.
 */
export class Membership implements AsyncDisposable {
  readonly #deps: MembershipDeps
  readonly #announcement: Announcement
  readonly #gateways: readonly GatewayAddresses[]
  #isStarted = false
  #left: Promise<void> | undefined

  constructor(deps: MembershipDeps) {
    const { clock, random, gateways, lookup = lookUpAll } = deps
    this.#deps = deps
    this.#announcement = new Announcement(deps)
    const announcement = this.#announcement
    this.#gateways = gateways.map(
      (url) =>
        new GatewayAddresses({ url, clock, random, announcement, lookup, log: deps.log.child({ gateway: url.href }) }),
    )
  }

  /** Reports at once, then as a heartbeat. Without gateways it says so, once. */
  start(): void {
    if (this.#isStarted || this.#left !== undefined) return
    this.#isStarted = true
    if (this.#gateways.length === 0) {
      this.#deps.log.info('no gateway is told of this instance: PILOTLIGHT_GATEWAYS names none')
    }
    for (const gateway of this.#gateways) gateway.start()
  }

  /** The view says another phase: reports at once to all gateways. A report that is still under way delays it by 100 ms at most. */
  changed(): void {
    if (!this.#isStarted || this.#left !== undefined) return
    for (const gateway of this.#gateways) gateway.tell()
  }

  /**
   * Reports `leaving`; resolves when every gateway has answered, or two seconds have passed, or `deadline` aborts. A report that is under
   * way is given up for it. Never rejects; called again, it is the same departure.
   */
  leave(deadline: AbortSignal): Promise<void> {
    this.#left ??= this.#isStarted ? this.#leave(deadline) : Promise.resolve()
    return this.#left
  }

  /** Ends without a word: gateways forget the instance when its lease ends. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#left ??= Promise.resolve()
    for (const gateway of this.#gateways) gateway[Symbol.dispose]()
  }

  async #leave(deadline: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps
    this.#announcement.leave()
    const late = new AbortController()
    const timer = clock.after(leaveMs, () => late.abort())
    const enough = AbortSignal.any([deadline, late.signal])
    const outcomes = (await Promise.all(this.#gateways.map((gateway) => gateway.leave(enough)))).flat()
    timer[Symbol.dispose]()
    for (const gateway of this.#gateways) gateway[Symbol.dispose]()
    if (outcomes.length === 0) return
    const departed = departure(outcomes)
    if (departed.told > 0) log.info('this instance has left the directory', departed)
    else log.warn('no gateway has taken the departure: they go on calling until they notice', departed)
  }
}

/** Who knows of the departure: gateways that took the report, those that did not, and what the former say of the rest of their fleet. */
function departure(outcomes: readonly Outcome[]): {
  told: number
  untold: number
  othersTold: number
  othersSilent: number
} {
  const receipts = outcomes.flatMap((outcome) => (outcome.kind === 'taken' ? [outcome.receipt] : []))
  return {
    told: receipts.length,
    untold: outcomes.length - receipts.length,
    othersTold: Math.max(0, ...receipts.map(({ acknowledged }) => acknowledged)),
    othersSilent: Math.max(0, ...receipts.map(({ silent }) => silent)),
  }
}
