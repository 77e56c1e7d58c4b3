import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll } from 'vitest'
import { RedisStore } from '../../../core/redis/redis-store.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { FleetGateway } from '../../support/fleet-gateway.ts'
import { startRedis, type RedisServer } from '../../support/redis-servers.ts'
import { describeCoordinator } from './describe-coordinator.ts'
import { describeFleet } from './describe-fleet.ts'

let redis: RedisServer
beforeAll(async () => void (redis = await startRedis()))
afterAll(() => redis[Symbol.asyncDispose]())

/** A fleet with a prefix of its own, so that tests share one server and nothing else. */
function realFleet() {
  const clock = new SystemClock()
  const prefix = `test-${randomUUID()}`
  const gateways: FleetGateway[] = []
  return {
    async join() {
      const store = new RedisStore({
        url: redis.url,
        prefix,
        // Tests run beside others that take the CPU.
        timeoutMs: 2_000,
        clock,
        random: Math.random,
        log: new FakeLogger(),
        observer: { onCommand: () => {}, onForeignMessage: () => {} },
      })
      const gateway = new FleetGateway({ store, clock })
      gateways.push(gateway)
      await gateway.fleet.start()
      return gateway
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(gateways.map((gateway) => gateway[Symbol.asyncDispose]()))
    },
  }
}

describeFleet('Redis', async () => realFleet())

describeCoordinator('Fleet on Redis', async () => {
  const fleet = realFleet()
  const gateway = await fleet.join()
  return {
    coordinator: gateway.fleet.leases,
    directory: gateway.directory,
    [Symbol.asyncDispose]: () => fleet[Symbol.asyncDispose](),
  }
})
