import { GatewayError, type Clock, type Forwarder, type Reply } from '#core/lean'
import { askServer } from '../readiness/ask-server.ts'
import { ReadinessWatch, type Verdict } from '../readiness/readiness-watch.ts'
import type { FunctionCall } from './function-runner.ts'
import type { FunctionSettings } from './function-settings.ts'
import type { UpstreamAddress } from './upstream-url.ts'

/** For one question: connection and answer. */
const probeTimeoutMs = 1000

/** What a function's server is asked with. */
export interface FunctionServerDeps {
  readonly clock: Clock
  readonly forwarder: Forwarder
}

/** One server that answers calls of the function, from the first question whether it is ready until it is left alone. */
export class FunctionServer implements Disposable {
  readonly #address: UpstreamAddress
  readonly #forwarder: Forwarder
  readonly #watch: ReadinessWatch
  #verdict: Verdict = { isReady: false, problem: '' }

  /** @param onChange called when the verdict has changed */
  // oxlint-disable-next-line max-params -- where, how, with what, and who is told
  constructor(address: UpstreamAddress, settings: FunctionSettings, deps: FunctionServerDeps, onChange: () => void) {
    this.#address = address
    this.#forwarder = deps.forwarder
    const { readyPath, healthPath, healthIntervalMs } = settings
    const { host, port, origin } = address
    const { clock, forwarder } = deps
    const paths = [...new Set([readyPath, healthPath])].filter((path) => path !== '')
    this.#watch = new ReadinessWatch({
      clock,
      ask: (signal) => askServer({ host, port, paths }, { clock, timeoutMs: probeTimeoutMs }, signal),
      intervalMs: healthIntervalMs,
      onVerdict: (verdict) => {
        this.#verdict = verdict
        if (!verdict.isReady) forwarder.forget?.(origin)
        onChange()
      },
    })
  }

  /** Whether it takes calls, by the last look. */
  get verdict(): Verdict {
    return this.#verdict
  }

  /** `http://host:port` */
  get origin(): string {
    return this.#address.origin
  }

  /** Begins to look. */
  start(): void {
    this.#watch.start()
  }

  /**
   * Forwards a call.
   * @throws GatewayError as a Forwarder; a server that is not ready is not asked
   */
  async answer({ request, headers, timeoutMs }: FunctionCall): Promise<Reply> {
    if (!this.#verdict.isReady) throw notAccepting()
    const { origin, basePath } = this.#address
    try {
      return await this.#forwarder.forward({ request, origin, path: basePath + request.target, headers, timeoutMs })
    } catch (error) {
      if (GatewayError.from(error).code === 'upstream_failed') this.#watch.suspect()
      throw error
    }
  }

  /** Looks no more, and lets its idle connections go. */
  [Symbol.dispose](): void {
    this.#watch[Symbol.dispose]()
    this.#verdict = { isReady: false, problem: '' }
    this.#forwarder.forget?.(this.#address.origin)
  }
}

/** Explains a call that came while nothing is there to take it. */
export function notAccepting(): GatewayError {
  return new GatewayError('upstream_failed', 'the function does not accept calls now', { details: { accepted: false } })
}
