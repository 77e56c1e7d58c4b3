import { FakeClock } from '../../support/fake-clock.ts'
import { InstancesGateway, type InstancesGatewaySettings } from '../../support/instances-gateway.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'

/** A gateway of a simulated fleet, and its connection to the store. */
export class SimulatedInstances extends InstancesGateway {
  readonly store: SimulatedStore

  constructor(settings: InstancesGatewaySettings & { readonly store: SimulatedStore }) {
    super(settings)
    this.store = settings.store
  }
}

/** Gateways that share one simulated store and one fake clock. */
export class SimulatedGateways {
  readonly clock = new FakeClock()
  readonly server = new SimulatedServer(this)
  #count = 0

  /** Adds a gateway and starts it. */
  async join(settings: Partial<InstancesGatewaySettings> = {}): Promise<SimulatedInstances> {
    this.#count += 1
    const store = new SimulatedStore(this.server, { clock: this.clock, origin: `gateway-${this.#count}` })
    const gateway = new SimulatedInstances({ clock: this.clock, ...settings, store })
    await gateway.fleet.start()
    await this.clock.advance(0)
    return gateway
  }

  /** Adds several that have shown each other that they are there. */
  async joinAll<const N extends readonly unknown[]>(...each: N): Promise<{ [K in keyof N]: SimulatedInstances }> {
    const gateways: SimulatedInstances[] = []
    for (const settings of each) gateways.push(await this.join(settings ?? {}))
    await this.clock.advance(1_000)
    return gateways as { [K in keyof N]: SimulatedInstances } // one for each
  }
}
