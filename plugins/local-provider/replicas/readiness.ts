import { connect } from 'node:net'
import type { Clock, HttpClient } from '#core'
import { replicaHost } from './port-allocator.ts'

/** What must answer. */
export interface ReadinessTarget {
  readonly port: number
  /** Must be answered 2xx once connections are accepted; empty asks for a connection only. */
  readonly path: string
}

const attemptTimeoutMs = 1000
const patientAfterMs = 2000
const longestPauseMs = 100
/** So many replicas are asked at full speed; with more, the pauses grow, so that asking costs no more in sum. */
const askedAtFullSpeed = 4

/** Notices when replicas become ready. */
export class ReadinessProbe {
  readonly #clock: Clock
  readonly #http: HttpClient
  #asking = 0

  constructor(deps: { clock: Clock; http: HttpClient }) {
    this.#clock = deps.clock
    this.#http = deps.http
  }

  /**
   * Resolves as soon as a replica accepts connections (and its path answers 2xx). Asks at once and then every millisecond or
   * two while the replica is young, because that pause is what callers of a cold function wait for; later less and less.
   *
   * @throws the signal's reason when it aborts
   */
  async ready(target: ReadinessTarget, signal: AbortSignal): Promise<void> {
    const startedMs = this.#clock.monotonicMs()
    this.#asking += 1
    try {
      while (!(await this.#isReady(target, signal))) {
        await this.#clock.sleep(this.#pauseMs(this.#clock.monotonicMs() - startedMs), signal)
      }
    } finally {
      this.#asking -= 1
    }
  }

  #pauseMs(ageMs: number): number {
    const alone = ageMs < patientAfterMs ? 1 : Math.min(longestPauseMs, ageMs / 500)
    return alone * Math.max(1, this.#asking / askedAtFullSpeed)
  }

  async #isReady({ port, path }: ReadinessTarget, signal: AbortSignal): Promise<boolean> {
    signal.throwIfAborted()
    if (!(await accepts(port))) return false
    if (path === '') return true
    try {
      const url = new URL(`http://${replicaHost}:${port}${path}`)
      const answer = await this.#http.request({ method: 'GET', url, timeoutMs: attemptTimeoutMs, signal })
      answer.discard()
      return answer.status >= 200 && answer.status < 300
    } catch {
      return false
    }
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: replicaHost, port, noDelay: true })
    const settle = (accepted: boolean): void => {
      socket.destroy()
      resolve(accepted)
    }
    socket.setTimeout(attemptTimeoutMs, () => settle(false))
    socket.once('connect', () => settle(true))
    socket.once('error', () => settle(false))
  })
}
