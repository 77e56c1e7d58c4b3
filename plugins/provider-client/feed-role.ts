import type { Clock, Election, Logger } from '#core'

/** The role that one gateway of a fleet holds: it lists the provider's functions for all of them. */
const roleName = 'directory-feed'

/** What holding the role works with. */
export interface FeedRoleDeps {
  readonly election: Election
  readonly clock: Clock
  readonly log: Logger
}

/** For how long the role is asked for, and how old an answer may be that is still trusted. Milliseconds. */
export interface FeedRoleTimes {
  readonly ttlMs: number
  readonly trustMs: number
}

/**
 * Returns the times of the role. Its holder asks at least once per interval and per call of the provider, so that the role
 * outlasts one question that is late and one call that takes its whole time; it must not outlast its holder for much longer.
 */
export function feedRoleTimes(feed: { readonly intervalMs: number; readonly listTimeoutMs: number }): FeedRoleTimes {
  return { ttlMs: Math.max(2.5 * feed.intervalMs, 2 * feed.listTimeoutMs), trustMs: feed.intervalMs }
}

/** Whether this gateway is the one that lists, and since when: a term lasts from gaining the role to losing it. */
export class FeedRole {
  readonly #deps: FeedRoleDeps
  readonly #times: FeedRoleTimes
  #held: boolean | undefined
  #askedAtMs = Number.NEGATIVE_INFINITY
  #term = new AbortController()

  constructor(deps: FeedRoleDeps, times: FeedRoleTimes) {
    this.#deps = deps
    this.#times = times
  }

  /** Whether the role is held here, as far as the last answer says. */
  get isHeld(): boolean {
    return this.#held === true && this.#ageMs() < this.#times.ttlMs
  }

  /** Aborts when the role is lost; another one for every term. */
  get term(): AbortSignal {
    return this.#term.signal
  }

  /** Takes or prolongs the role. */
  async ask(): Promise<'gained' | 'kept' | 'other'> {
    const { election, clock } = this.#deps
    const before = this.#held
    // Counted from the question on: the answer may have taken long.
    const askedAtMs = clock.monotonicMs()
    this.#held = await election.leads(roleName, this.#times.ttlMs)
    this.#askedAtMs = askedAtMs
    if (this.#held !== before) this.#changed(before, this.#held)
    if (!this.#held) return 'other'
    return before === true ? 'kept' : 'gained'
  }

  /** Prolongs the role when the last answer is old, as it is after a pause of the process; {@link term} tells the outcome. */
  async refresh(): Promise<void> {
    if (this.#ageMs() >= this.#times.trustMs) await this.ask()
  }

  #ageMs(): number {
    return this.#deps.clock.monotonicMs() - this.#askedAtMs
  }

  #changed(before: boolean | undefined, held: boolean): void {
    const { log } = this.#deps
    if (held) this.#term = new AbortController()
    else this.#term.abort(new Error('another gateway lists the functions now'))
    const message = held
      ? 'this gateway lists the functions of the provider'
      : 'another gateway lists the functions of the provider'
    if (before === undefined) log.debug(message)
    else log.info(message)
  }
}
