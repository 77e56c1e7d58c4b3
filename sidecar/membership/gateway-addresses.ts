import { isIP } from 'node:net'
import { backoffDelayMs, type Clock, type Logger, type Random } from '#core/lean'
import type { Announcement } from './announcement.ts'
import { GatewayLine } from './gateway-line.ts'
import type { Lookup } from './look-up.ts'
import type { Outcome } from './outcome.ts'
import { TroubleLog } from './trouble-log.ts'

/** What the addresses of a gateway are kept with. */
export interface GatewayAddressesDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
  readonly url: URL
  readonly announcement: Announcement
  readonly lookup: Lookup
}

/** Between two look-ups of a name, in milliseconds: as between heartbeats, in these limits. */
const lookupMs = { least: 500, most: 3_000 }
const lookupJitterRatio = 0.2
const retries = { firstMs: 200, maxMs: 3_000, factor: 2, jitterRatio: 0.5 }
/** Most addresses of one name that are told. */
const mostAddresses = 64

/**
 * One gateway as it was configured, which may be several: each address of its host name is told for itself. The name is looked up again
 * and again; while it cannot be, its addresses stay as they are. An address that the name leads to no more is told until it does not take
 * a report: a gateway that leaves is out of its name long before it has finished its calls.
 */
export class GatewayAddresses implements Disposable {
  readonly #deps: GatewayAddressesDeps
  readonly #host: string
  readonly #lines = new Map<string, GatewayLine>()
  readonly #trouble: TroubleLog
  #failures = 0
  #next: Disposable | undefined
  #isStopped = false

  constructor(deps: GatewayAddressesDeps) {
    this.#deps = deps
    this.#host = deps.url.hostname.replace(/^\[(.*)\]$/, '$1')
    this.#trouble = new TroubleLog(deps.log)
  }

  /** Reports to every address as soon as it is known. */
  start(): void {
    if (isIP(this.#host) === 0) void this.#lookUp()
    else this.#take([this.#host])
  }

  /** Reports to every address now if there is something that was not sent yet. */
  tell(): void {
    for (const line of this.#lines.values()) line.tell()
  }

  /** Reports the departure to every address; resolves with what became of it, one outcome for each. */
  async leave(deadline: AbortSignal): Promise<readonly Outcome[]> {
    this.#stop()
    if (this.#lines.size === 0) return [{ kind: 'failed', reason: 'no address is known' }]
    return Promise.all([...this.#lines.values()].map((line) => line.leave(deadline)))
  }

  /** Ends without a word. */
  [Symbol.dispose](): void {
    this.#stop()
    for (const line of this.#lines.values()) line[Symbol.dispose]()
  }

  #stop(): void {
    this.#isStopped = true
    this.#next?.[Symbol.dispose]()
  }

  async #lookUp(): Promise<void> {
    const { lookup, clock } = this.#deps
    let found: readonly string[] = []
    try {
      found = await lookup(this.#host)
      this.#failures = 0
    } catch (error) {
      this.#failures += 1
      this.#complain(error)
    }
    if (this.#isStopped) return
    if (found.length > 0) this.#take(found)
    this.#next = clock.after(this.#pauseMs(), () => void this.#lookUp())
  }

  #pauseMs(): number {
    const { random } = this.#deps
    if (this.#failures > 0) return backoffDelayMs(retries, this.#failures, random)
    const heartbeatMs = Math.min(lookupMs.most, ...[...this.#lines.values()].map((line) => line.heartbeatMs))
    return Math.max(lookupMs.least, heartbeatMs) * (1 - lookupJitterRatio * random())
  }

  /** A name that is not found while its gateways are known is nothing that anybody has to know. */
  #complain(error: unknown): void {
    if (this.#lines.size > 0 || this.#isStopped) return
    this.#trouble.note({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) })
  }

  #take(addresses: readonly string[]): void {
    // In a fixed order, so that of too many it is always the same ones.
    const wanted = new Set(addresses.toSorted().slice(0, mostAddresses))
    for (const [address, line] of this.#lines) {
      if (wanted.has(address)) line.revive()
      else line.retire()
    }
    for (const address of wanted) if (!this.#lines.has(address)) this.#open(address)
  }

  #open(address: string): void {
    const { url, clock, random, announcement, log } = this.#deps
    const line = new GatewayLine({
      clock,
      random,
      announcement,
      url,
      address,
      log: address === this.#host ? log : log.child({ address }),
      onGone: () => this.#close(address),
    })
    this.#lines.set(address, line)
    line.tell()
  }

  #close(address: string): void {
    this.#lines.get(address)?.[Symbol.dispose]()
    this.#lines.delete(address)
  }
}
