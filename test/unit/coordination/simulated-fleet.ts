import { functionIdentity, type FunctionState, type Lease } from '#core'
import { FakeClock } from '../../support/fake-clock.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'

export const echo = functionIdentity('echo', 'fn')

/** A gateway of a simulated fleet, and its connection to the store. */
export class SimulatedMember extends FleetGateway {
  readonly store: SimulatedStore

  constructor(deps: { store: SimulatedStore; clock: FakeClock }) {
    super(deps)
    this.store = deps.store
  }

  /** @throws Error when somebody else leads */
  async lead(): Promise<Lease> {
    const acquired = await this.fleet.leases.acquire(echo)
    if (acquired.role === 'leader') return acquired.lease
    throw new Error('somebody else leads')
  }

  get phase(): string | undefined {
    return this.directory.get(echo.key)?.phase
  }
}

/** Gateways on one simulated store and one fake clock. */
export class SimulatedFleet {
  readonly clock = new FakeClock()
  readonly server = new SimulatedServer(this)
  #count = 0

  /** Adds a gateway and starts it. */
  async join(): Promise<SimulatedMember> {
    this.#count += 1
    const store = new SimulatedStore(this.server, { clock: this.clock, origin: `gateway-${this.#count}` })
    const member = new SimulatedMember({ store, clock: this.clock })
    await member.fleet.start()
    return member
  }

  /** A state of `echo`, observed now. */
  state(changed: Partial<FunctionState> = {}): FunctionState {
    return {
      identity: echo,
      phase: 'waking',
      desired: 1,
      available: 0,
      min: 1,
      max: 5,
      fence: 0,
      observedAtMs: this.clock.nowMs(),
      reason: '',
      retryAtMs: 0,
      failures: 0,
      labels: {},
      annotations: {},
      ...changed,
    }
  }
}
