import { FakeClock } from '../../support/fake-clock.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'
import { describeCoordinator } from './describe-coordinator.ts'
import { describeFleet } from './describe-fleet.ts'

function simulation() {
  const clock = new FakeClock()
  const server = new SimulatedServer({ clock })
  const gateways: FleetGateway[] = []
  return {
    settle: () => clock.advance(1),
    async join() {
      const gateway = new FleetGateway({
        store: new SimulatedStore(server, { clock, origin: `g${gateways.length}` }),
        clock,
      })
      gateways.push(gateway)
      await gateway.fleet.start()
      return gateway
    },
    async [Symbol.asyncDispose]() {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    },
  }
}

describeFleet('a simulated store', async () => simulation())

describeCoordinator('Fleet on a simulated store', async () => {
  const fleet = simulation()
  const gateway = await fleet.join()
  return {
    coordinator: gateway.fleet.leases,
    directory: gateway.directory,
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  }
})
