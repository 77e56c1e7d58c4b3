import { describe, expect, it } from 'vitest'
import type { CoordinationStore } from '../../../core/coordination/coordination-store.ts'
import { LineStore } from '../../../core/coordination/local-store/line-store.ts'
import { LocalStore } from '../../../core/coordination/local-store/local-store.ts'
import { serveStore } from '../../../core/coordination/local-store/serve-store.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { InstancesGateway } from '../../support/instances-gateway.ts'
import { joinLines } from '../../support/joined-lines.ts'
import { SimulatedStore } from '../../support/simulated-store.ts'
import { SimulatedServer } from '../../support/simulated-store-server.ts'

/** Makes the store of each further gateway. Redis has its own tests in test/integration/instances, in real time. */
const kinds: Readonly<Record<string, (clock: FakeClock) => (origin: string) => CoordinationStore>> = {
  'a simulated store': (clock) => {
    const server = new SimulatedServer({ clock })
    return (origin) => new SimulatedStore(server, { clock, origin })
  },
  'a local store in its own process': (clock) => {
    const store = new LocalStore({ clock, log: new FakeLogger() })
    return (origin) => store.member(origin)
  },
  'a local store at the other end of a line': (clock) => {
    const store = new LocalStore({ clock, log: new FakeLogger() })
    return (origin) => {
      const { worker, supervisor } = joinLines()
      serveStore(store, supervisor)
      return new LineStore({ line: worker, clock, log: new FakeLogger(), origin })
    }
  },
}

describe.each(Object.entries(kinds))('instances that gateways share on %s', (_, make) => {
  async function fleet() {
    const clock = new FakeClock()
    const createStore = make(clock)
    const join = async (origin: string): Promise<InstancesGateway> => {
      const gateway = new InstancesGateway({ clock, store: createStore(origin) })
      const started = gateway.fleet.start()
      await clock.advance(10)
      await started
      return gateway
    }
    const gateways = { one: await join('one'), other: await join('other') }
    await clock.advance(1_500)
    return { ...gateways, clock, join }
  }

  it('are known to all, and to who joins later', async () => {
    const { one, other, clock, join } = await fleet()

    await one.take()
    await clock.advance(10)

    expect([one.ready, other.ready, (await join('late')).ready]).toEqual([['a'], ['a'], ['a']])
    expect([one.phase, other.phase]).toEqual(['ready', 'ready'])
  })

  it('live as long as one gateway hears of them, with their loads', async () => {
    const { one, other, clock } = await fleet()
    await one.take({ revision: 1 })
    for (let beat = 1; beat <= 6; beat += 1) {
      await clock.advance(3_000)
      await one.take({ revision: 1, load: { inFlight: beat } })
    }
    await clock.advance(1_500)
    const load = other.instances.directory.get('a')?.load

    await clock.advance(12_000)

    expect(load).toMatchObject({ inFlight: 6 })
    expect([one.known, other.known]).toEqual([[], []])
  })

  it('leave when all have acknowledged it', async () => {
    const { one, other, clock } = await fleet()
    await one.take({ revision: 1 })

    const leaving = one.take({ revision: 2, phase: 'leaving' })
    await clock.advance(10)

    expect(await leaving).toEqual({ ttlMs: 10_000, acknowledged: 1, silent: 0 })
    expect([one.ready, other.ready]).toEqual([[], []])
  })
})
