import type { Clock, Coordinator, Lease } from '#core'

/** Renews a lease for as long as it is not disposed, whatever its holder waits for, and says when it was lost. */
export class LeaseKeeper implements Disposable {
  readonly #deps: { readonly coordinator: Coordinator; readonly clock: Clock }
  readonly #lease: Lease
  readonly #lost = new AbortController()
  #next: Disposable | undefined
  #isDisposed = false

  constructor(deps: { coordinator: Coordinator; clock: Clock }, lease: Lease) {
    this.#deps = deps
    this.#lease = lease
    this.#schedule()
  }

  /** Aborts when another gateway may have the lease. */
  get lost(): AbortSignal {
    return this.#lost.signal
  }

  /** To be called when somebody else was seen to have it. */
  lose(): void {
    this.#lost.abort(new Error(`the lease of ${this.#lease.identity.key} was lost`))
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true
    this.#next?.[Symbol.dispose]()
  }

  #schedule(): void {
    const { coordinator, clock } = this.#deps
    if (this.#isDisposed || this.lost.aborted || coordinator.renewEveryMs === Infinity) return
    this.#next = clock.after(coordinator.renewEveryMs, () => void this.#renew())
  }

  async #renew(): Promise<void> {
    if (!(await this.#deps.coordinator.renew(this.#lease))) this.lose()
    this.#schedule()
  }
}
