import {
  GatewayError,
  type Clock,
  type FunctionIdentity,
  type FunctionStatus,
  type ScaleOptions,
  type ServiceQuery,
} from '#core'

/** One scale call that came. */
export interface ScaleCall {
  readonly key: string
  readonly replicas: number
  readonly fence: number | undefined
  readonly atMs: number
}

/** A platform in memory, which does what a test says. Every function has the same status. */
export class FakeServiceQuery implements ServiceQuery {
  desired = 0
  available = 0
  labels: Readonly<Record<string, string>> = {}
  annotations: Readonly<Record<string, string>> = {}
  /** What keeps the function from starting, as the provider sees it. */
  reason = ''
  /** Whether the functions exist. */
  exists = true
  /** No call is answered. */
  isDown = false
  /** How many of the next scale calls get lost: an error, and no effect. */
  lostScales = 0
  /** Scale calls are accepted without doing anything. */
  ignoresScales = false
  /** Thrown by scale calls. */
  scaleRefusal: GatewayError | undefined
  /** Calls wait until this settles, or their signal aborts. */
  answers: Promise<void> = Promise.resolve()
  /** From an accepted scale call to readiness; undefined is never. */
  readyAfterMs: number | undefined
  /** Instants of the status calls. */
  readonly statuses: number[] = []
  readonly scales: ScaleCall[] = []
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Makes every replica available. */
  becomeReady(): void {
    this.desired = Math.max(1, this.desired)
    this.available = this.desired
  }

  async status(target: FunctionIdentity, signal?: AbortSignal): Promise<FunctionStatus | undefined> {
    this.statuses.push(this.#clock.monotonicMs())
    await this.#answered(signal)
    if (!this.exists) return undefined
    const { desired, available, labels, annotations, reason } = this
    return {
      reason,
      name: target.name,
      namespace: target.namespace,
      replicas: desired,
      availableReplicas: available,
      labels,
      annotations,
    }
  }

  async scale({ key }: FunctionIdentity, replicas: number, { signal, fence }: ScaleOptions = {}): Promise<void> {
    this.scales.push({ key, replicas, fence, atMs: this.#clock.monotonicMs() })
    await this.#answered(signal)
    if (this.scaleRefusal !== undefined) throw this.scaleRefusal
    if (this.lostScales > 0) {
      this.lostScales -= 1
      throw providerDown()
    }
    if (this.ignoresScales) return
    this.desired = replicas
    if (this.readyAfterMs !== undefined) this.#clock.after(this.readyAfterMs, () => this.becomeReady())
  }

  async #answered(signal: AbortSignal | undefined): Promise<void> {
    const aborted = Promise.withResolvers<never>()
    const onAbort = (): void => aborted.reject(signal?.reason)
    if (signal?.aborted === true) onAbort()
    signal?.addEventListener('abort', onAbort, { once: true })
    try {
      await Promise.race([this.answers, aborted.promise])
    } finally {
      signal?.removeEventListener('abort', onAbort)
    }
    if (this.isDown) throw providerDown()
  }
}

function providerDown(): GatewayError {
  return new GatewayError('provider_unavailable', 'the provider did not answer')
}
