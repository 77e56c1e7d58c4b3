import type { FunctionIdentity, Logger, ReadinessAnnouncer } from '#core'

/**
 * Tells of functions that take calls, in the background: nobody waits for it, and its failures are only logged. One
 * announcement of a function is under way at a time; of those that come up meanwhile, the last one follows it.
 */
export class Announcements {
  readonly #announcer: ReadinessAnnouncer
  readonly #log: Logger
  /** Functions whose announcement is under way, with the replicas to announce after it; 0 is none. */
  readonly #underWay = new Map<string, number>()
  #isFailing = false

  constructor(deps: { announcer: ReadinessAnnouncer; log: Logger }) {
    this.#announcer = deps.announcer
    this.#log = deps.log
  }

  /** @param available replicas that take calls now, 1 or more */
  announce(identity: FunctionIdentity, available: number): void {
    if (this.#underWay.has(identity.key)) this.#underWay.set(identity.key, available)
    else void this.#tell(identity, available)
  }

  async #tell(identity: FunctionIdentity, first: number): Promise<void> {
    const { key } = identity
    for (let available = first; available > 0; available = this.#underWay.get(key) ?? 0) {
      this.#underWay.set(key, 0)
      try {
        await this.#announcer.announceReady(identity, available)
        this.#isFailing = false
      } catch (error) {
        this.#failed(key, error)
      }
    }
    this.#underWay.delete(key)
  }

  #failed(key: string, error: unknown): void {
    if (this.#isFailing) return
    this.#isFailing = true
    const problem = error instanceof Error ? error.message : String(error)
    this.#log.warn('gateways could not be told that a function is ready: they find out by asking', {
      function: key,
      problem,
    })
  }
}
