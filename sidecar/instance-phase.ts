import type { InstancePhase } from '#core/lean'

/** What decides the phase. */
export interface InstancePhaseDeps {
  readonly runner: { readonly isReady: boolean }
  /** Told of every change, after it. */
  readonly onChange: (phase: InstancePhase) => void
}

/** What this instance is doing: `starting` -> `ready` <-> `unready`; `leaving` from any of them, for good. */
export class InstancePhaseTracker {
  readonly #deps: InstancePhaseDeps
  #phase: InstancePhase = 'starting'

  constructor(deps: InstancePhaseDeps) {
    this.#deps = deps
  }

  /** The phase now. */
  get current(): InstancePhase {
    return this.#phase
  }

  /** Whether the instance leaves. */
  get isLeaving(): boolean {
    return this.#phase === 'leaving'
  }

  /** The function may have become ready, or stopped to be. */
  update(): void {
    if (this.isLeaving) return
    if (this.#deps.runner.isReady) this.#become('ready')
    else if (this.#phase === 'ready') this.#become('unready')
  }

  /** The instance leaves. */
  leave(): void {
    this.#become('leaving')
  }

  #become(phase: InstancePhase): void {
    if (phase === this.#phase) return
    this.#phase = phase
    this.#deps.onChange(phase)
  }
}
