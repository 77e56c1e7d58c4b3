import type { Clock, Random } from '#core/lean'
import type { Slots } from './slots.ts'

/** How long a slot waits for the call that it was given away for, in milliseconds. */
const reservedMs = 500

/** Slots that gateways were given and have not used yet. */
export class Reservations {
  readonly #deps: { readonly slots: Slots; readonly clock: Clock; readonly random: Random }
  readonly #expiries = new Map<string, Disposable>()
  #made = 0
  #expired = 0

  constructor(deps: { slots: Slots; clock: Clock; random: Random }) {
    this.#deps = deps
  }

  /** How many there are now, were ever made, and were never used. */
  get counts(): { readonly open: number; readonly made: number; readonly expired: number } {
    return { open: this.#expiries.size, made: this.#made, expired: this.#expired }
  }

  /** Reserves a slot that was taken for it. Returns the token by which a call takes it over within 500 ms. */
  make(): string {
    this.#made += 1
    const token = `${this.#made.toString(36)}-${Math.floor(this.#deps.random() * 2 ** 52).toString(36)}`
    this.#expiries.set(
      token,
      this.#deps.clock.after(reservedMs, () => {
        if (this.giveBack(token)) this.#expired += 1
      }),
    )
    return token
  }

  /** Takes over the slot behind a token: it belongs to the caller now. False when there is none any more. */
  redeem(token: string): boolean {
    const expiry = this.#expiries.get(token)
    if (expiry === undefined) return false
    expiry[Symbol.dispose]()
    return this.#expiries.delete(token)
  }

  /** Gives the slot behind a token back. False when there is none any more. */
  giveBack(token: string): boolean {
    if (!this.redeem(token)) return false
    this.#deps.slots.release()
    return true
  }
}
