import { machineMs } from '../support/machine-clock.ts'

/** What the provider of a cold start shall know of a function. */
export interface ColdScript {
  readonly name: string
  /** Replicas at the start, all of them available. */
  readonly replicas: number
  /** Milliseconds from the accepted scale call until it is ready. */
  readonly readyAfterMs: number
}

/** One function: at zero until it is scaled, ready some time later. */
export class ColdFunction implements Disposable {
  readonly #script: ColdScript
  #desired: number
  #available: number
  #readyAtMs = 0
  #timer: NodeJS.Timeout | undefined

  constructor(script: ColdScript) {
    this.#script = script
    this.#desired = script.replicas
    this.#available = script.replicas
  }

  get isReady(): boolean {
    return this.#available > 0
  }

  /** Instant of the machine's clock at which it became ready by a scale call; 0 before. */
  get readyAtMs(): number {
    return this.#readyAtMs
  }

  /** The function as the provider API shows it. */
  status(): Readonly<Record<string, unknown>> {
    const { name } = this.#script
    return {
      name,
      namespace: '',
      image: `example/${name}:1`,
      replicas: this.#desired,
      availableReplicas: this.#available,
      labels: {},
      annotations: {},
    }
  }

  /** Wants `replicas`, at least 1, from now on. */
  scaleTo(replicas: number): void {
    this.#desired = replicas
    if (this.isReady) this.#available = replicas
    else this.#timer ??= setTimeout(() => this.#becomeReady(), this.#script.readyAfterMs)
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  #becomeReady(): void {
    this.#available = this.#desired
    this.#readyAtMs = machineMs()
  }
}
