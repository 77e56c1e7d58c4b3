import { machineMs } from '../support/machine-clock.ts'

/** What the provider of a cold start shall know of a function. */
export interface ColdScript {
  readonly name: string
  /** Replicas at the start, all of them available. */
  readonly replicas: number
  /** Milliseconds from the accepted scale call until it is ready. */
  readonly readyAfterMs: number
  /** Base URL of a gateway that is told when it becomes ready; absent: nobody is. */
  readonly announceTo?: string | undefined
  /** Milliseconds that carrying out a scale call takes; another one meanwhile conflicts with it. Default 0. */
  readonly scaleTakesMs?: number | undefined
}

/** A provider call about one function. */
export interface ObservedCall {
  readonly kind: 'status' | 'scale'
  /** Instant of the machine's clock. */
  readonly atMs: number
  /** Number of the connection that it came over. */
  readonly connection: number
}

/** What became of a scale call: `outdated` came with a smaller fence than one before, `conflicting` while another one was carried out. */
export type ScaleOutcome = 'accepted' | 'outdated' | 'conflicting'

/** One function: at zero until it is scaled, ready some time later. */
export class ColdFunction implements Disposable {
  /** Provider calls about it, in order. */
  readonly calls: ObservedCall[] = []
  readonly #script: ColdScript
  readonly #onReady: (script: ColdScript) => void
  #desired: number
  #available: number
  #readyAtMs = 0
  #fence = 0
  #isScaling = false
  #timer: NodeJS.Timeout | undefined

  /** @param onReady called when it becomes ready by a scale call */
  constructor(script: ColdScript, onReady: (script: ColdScript) => void) {
    this.#script = script
    this.#onReady = onReady
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

  /** Largest fence of an accepted scale call. */
  get fence(): number {
    return this.#fence
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

  /** Wants `replicas`, at least 1, from now on. @param fence of who asks; 0 for none */
  async scaleTo(replicas: number, fence: number): Promise<ScaleOutcome> {
    if (fence > 0 && fence < this.#fence) return 'outdated'
    if (this.#isScaling) return 'conflicting'
    this.#fence = Math.max(fence, this.#fence)
    await this.#carryOut()
    this.#desired = replicas
    if (this.isReady) this.#available = replicas
    else this.#timer ??= setTimeout(() => this.#becomeReady(), this.#script.readyAfterMs)
    return 'accepted'
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer)
  }

  async #carryOut(): Promise<void> {
    const { scaleTakesMs = 0 } = this.#script
    if (scaleTakesMs === 0) return
    this.#isScaling = true
    await new Promise((resolve) => setTimeout(resolve, scaleTakesMs))
    this.#isScaling = false
  }

  #becomeReady(): void {
    this.#available = this.#desired
    this.#readyAtMs = machineMs()
    this.#onReady(this.#script)
  }
}
