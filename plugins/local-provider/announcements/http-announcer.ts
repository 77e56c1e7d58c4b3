import type { Clock, FunctionIdentity, HttpClient, ReadinessAnnouncer } from '#core'

/** A gateway that takes announcements. */
export interface AnnounceTarget {
  /** Its base URL; the path ends in `/`. */
  readonly url: URL
  /** Value of the `Authorization` header, if it wants one. */
  readonly authorization: string | undefined
}

const attemptTimeoutMs = 500
const rounds = 2
const pauseMs = 100

/**
 * Announces over HTTP to one gateway, which tells the others. Gateways are tried in turn, beginning with the one that took the last
 * announcement; each attempt is short, and after two rounds the announcement is given up.
 */
export class HttpAnnouncer implements ReadinessAnnouncer {
  readonly #http: HttpClient
  readonly #clock: Clock
  readonly #targets: readonly AnnounceTarget[]
  #first = 0

  constructor(deps: { http: HttpClient; clock: Clock; targets: readonly AnnounceTarget[] }) {
    this.#http = deps.http
    this.#clock = deps.clock
    this.#targets = deps.targets
  }

  /** @throws Error that says what every gateway answered in the last round */
  async announceReady(identity: FunctionIdentity, available = 1): Promise<void> {
    if (this.#targets.length === 0) return
    let problems: readonly string[] = []
    for (let round = 1; round <= rounds; round += 1) {
      if (round > 1) await this.#clock.sleep(pauseMs)
      problems = await this.#tryAll({ name: identity.name, namespace: identity.namespace, available })
      if (problems.length < this.#targets.length) return
    }
    throw new Error(problems.join('; '))
  }

  /** @returns what went wrong, for each gateway until one took it */
  async #tryAll(announcement: object): Promise<readonly string[]> {
    const problems: string[] = []
    const first = this.#first
    for (let i = 0; i < this.#targets.length; i += 1) {
      const at = (first + i) % this.#targets.length
      const problem = await this.#try(this.#targets[at], announcement)
      if (problem === undefined) {
        this.#first = at
        return problems
      }
      problems.push(problem)
    }
    return problems
  }

  async #try(target: AnnounceTarget | undefined, announcement: object): Promise<string | undefined> {
    if (target === undefined) return 'no gateway'
    const { url, authorization } = target
    try {
      const answer = await this.#http.request({
        method: 'POST',
        url: new URL('system/function-ready', url),
        headers: {
          'content-type': 'application/json',
          ...(authorization === undefined ? {} : { authorization }),
        },
        body: JSON.stringify(announcement),
        timeoutMs: attemptTimeoutMs,
      })
      answer.discard()
      return answer.status >= 200 && answer.status < 300 ? undefined : `${url.host} answered ${answer.status}`
    } catch (error) {
      return `${url.host}: ${error instanceof Error ? error.message : String(error)}`
    }
  }
}
