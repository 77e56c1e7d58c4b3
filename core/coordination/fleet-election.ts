import type { CoordinationStore } from './coordination-store.ts'
import type { Election } from './election.ts'
import type { SharedStates } from './shared-states.ts'
import type { StoreHealth } from './store-health.ts'

/** Roles that one gateway of a fleet holds at a time. */
export class FleetElection implements Election {
  readonly #deps: { readonly store: CoordinationStore; readonly health: StoreHealth; readonly states: SharedStates }
  readonly #roles = new Set<string>()

  constructor(deps: { store: CoordinationStore; health: StoreHealth; states: SharedStates }) {
    this.#deps = deps
  }

  leads(role: string, ttlMs: number): Promise<boolean> {
    const { store, health, states } = this.#deps
    return health.attempt(
      role,
      async () => {
        const held = await store.holdRole(role, ttlMs)
        if (held === 'other') {
          this.#roles.delete(role)
          return false
        }
        this.#roles.add(role)
        // Also when it was held here before, but the store does not remember: it may have lost everything.
        if (held === 'gained') await states.sync()
        return true
      },
      () => true,
    )
  }

  /** Gives all roles up, so that others need not wait for their expiry. Never throws. */
  async resign(): Promise<void> {
    const { store } = this.#deps
    await Promise.allSettled([...this.#roles].map((role) => store.resignRole(role)))
    this.#roles.clear()
  }
}
