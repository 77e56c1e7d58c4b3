import { GatewayError } from '../errors/gateway-error.ts'
import type { FunctionIdentity } from '../provider/function-identity.ts'
import { readyState, type FunctionState } from '../replicas/function-state.ts'
import type { ReplicaDirectory } from '../replicas/replica-directory.ts'
import { saysTheSame } from '../replicas/says-the-same.ts'
import type { Clock } from '../time/clock.ts'
import type { MemoryCoordinator } from './memory-coordinator.ts'
import type { ReadinessAnnouncer } from './readiness-announcer.ts'
import type { SharedDirectory } from './shared-directory.ts'
import type { SharedStates } from './shared-states.ts'
import type { StoreHealth } from './store-health.ts'

/** What writing to the directories of a fleet works with. */
export interface FleetDirectoryDeps {
  readonly health: StoreHealth
  readonly states: SharedStates
  readonly directory: ReplicaDirectory
  readonly clock: Clock
  /** Writes while the store cannot be used. */
  readonly alone: MemoryCoordinator
}

/** How often an announcement is made anew that others overtook. */
const maxAnnouncements = 5

/** Observations of one gateway for all of them. */
export class FleetDirectory implements SharedDirectory, ReadinessAnnouncer {
  readonly #deps: FleetDirectoryDeps

  constructor(deps: FleetDirectoryDeps) {
    this.#deps = deps
  }

  async observe(observed: FunctionState): Promise<void> {
    const { health, states, directory, alone } = this.#deps
    const { key } = observed.identity
    const held = directory.get(key)
    // Of a function that was forgotten the store has no record.
    const version = held === undefined ? 0 : states.version(key)
    const state = { ...observed, fence: held?.fence ?? 0 }
    const isNews = held === undefined || !saysTheSame(held, state)
    await health.attempt(
      key,
      async () => {
        if (version > 0 && !isNews) await states.confirm(state)
        else await states.write(state, { condition: 'version', value: version })
      },
      async () => {
        await alone.observe(state)
        if (isNews) states.tellLater(state.identity)
      },
    )
  }

  async forget(identity: FunctionIdentity): Promise<void> {
    const { health, states, alone } = this.#deps
    await health.attempt(
      identity.key,
      () => states.forget(identity.key),
      () => {
        states.tellLater(identity)
        return alone.forget(identity)
      },
    )
  }

  async announceReady(identity: FunctionIdentity, available = 1): Promise<void> {
    const { health, states, alone } = this.#deps
    await health.attempt(
      identity.key,
      () => this.#announce(identity, available),
      async () => {
        await alone.announceReady(identity, available)
        states.tellLater(identity)
      },
    )
  }

  /** @throws GatewayError `overloaded` when others write all the time */
  async #announce(identity: FunctionIdentity, available: number): Promise<void> {
    const { states, directory, clock } = this.#deps
    for (let attempt = 1; attempt <= maxAnnouncements; attempt += 1) {
      const held = directory.get(identity.key)
      const state = readyState(identity, held, { available, observedAtMs: clock.nowMs() })
      if (await states.write(state, { condition: 'version', value: states.version(identity.key) })) return
    }
    throw new GatewayError('overloaded', `the state of "${identity.key}" changes too fast to announce anything`)
  }
}
