import type { CoordinationStore } from '../../../core/coordination/coordination-store.ts'
import { LineStore } from '../../../core/coordination/local-store/line-store.ts'
import { LocalStore } from '../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../core/coordination/local-store/serve-store.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'
import { joinLines } from '../../support/joined-lines.ts'
import { describeCoordinator } from './describe-coordinator.ts'
import { describeFleet } from './describe-fleet.ts'

/** Makes the store of a further member. */
type Join = (store: LocalStore, parts: { readonly clock: FakeClock; readonly origin: string }) => CoordinationStore

function localFleet(join: Join) {
  const clock = new FakeClock()
  const store = new LocalStore({ clock, log: new FakeLogger() })
  const gateways: FleetGateway[] = []
  return {
    settle: () => clock.advance(1),
    async join() {
      const gateway = new FleetGateway({ store: join(store, { clock, origin: `g${gateways.length}` }), clock })
      gateways.push(gateway)
      await gateway.fleet.start()
      return gateway
    },
    async [Symbol.asyncDispose]() {
      for (const gateway of gateways) await gateway[Symbol.asyncDispose]()
    },
  }
}

const joins: Readonly<Record<string, Join>> = {
  'a local store in its own process': (store, { origin }) => store.member(origin),
  'a local store at the other end of a line': (store, { clock, origin }) => {
    const { worker, supervisor } = joinLines()
    serveStore(store, supervisor)
    return new LineStore({ line: worker, clock, log: new FakeLogger(), origin })
  },
}

for (const [name, join] of Object.entries(joins)) {
  describeFleet(name, async () => localFleet(join))

  describeCoordinator(`Fleet on ${name}`, async () => {
    const fleet = localFleet(join)
    const gateway = await fleet.join()
    return {
      coordinator: gateway.fleet.leases,
      directory: gateway.directory,
      [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
    }
  })
}
