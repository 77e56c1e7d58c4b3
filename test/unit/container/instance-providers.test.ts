import { describe, expect, it } from 'vitest'
import {
  Clock,
  GatewayConfig,
  InstanceDirectory,
  InstanceRegistry,
  Logger,
  ReplicaDirectory,
  ServiceQuery,
  type FunctionIdentity,
} from '#core'
import { loadConfig } from '../../../core/config/load-config.ts'
import { Container } from '../../../core/container/container.ts'
import { coreProviders, StoreAccess } from '../../../core/container/core-providers.ts'
import { Teardown } from '../../../core/container/teardown.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { reportOf } from '../../support/instance-reports.ts'

/** The container of a gateway that has no others, with or without a plugin that asks a provider. */
function setUp({ asks }: { readonly asks: boolean }) {
  const clock = new FakeClock()
  const teardown = new Teardown()
  const container = new Container(coreProviders, teardown)
  const asked: string[] = []
  const query: ServiceQuery = {
    status: async ({ key }: FunctionIdentity) => {
      asked.push(key)
      return undefined
    },
    scale: async () => {},
  }
  const env = { PILOTLIGHT_INSTANCE_TTL: '4s' }
  container.addValue(GatewayConfig, loadConfig({ argvConfigPath: undefined, flags: {}, env, cwd: import.meta.dirname }))
  container.addValue(Clock, clock)
  container.addValue(Logger, new FakeLogger())
  container.addValue(StoreAccess, {})
  if (asks) container.addValue(ServiceQuery, query)
  const take = () => container.resolve(InstanceRegistry).take(reportOf({ sentAtMs: clock.nowMs() }))
  return { clock, teardown, container, asked, take }
}

describe('The instances of a gateway that has no others', () => {
  it('are in the directory that its registry fills, for as long as it is configured', async () => {
    const { clock, container, take } = setUp({ asks: false })
    const directory = container.resolve(InstanceDirectory)

    const receipt = await take()
    const before = directory.ready('echo.fn').length
    await clock.advance(4_300)

    expect(receipt).toEqual({ ttlMs: 4_000, acknowledged: 0, silent: 0 })
    expect(before).toBe(1)
    expect(directory.ready('echo.fn')).toEqual([])
  })

  it('make their function known where nobody asks a provider: who runs it reports it', async () => {
    const { clock, container, take } = setUp({ asks: false })

    await take()
    await clock.advance(0)

    expect(container.resolve(ReplicaDirectory).get('echo.fn')).toMatchObject({ phase: 'ready', available: 1 })
  })

  it('do not make a function known that the provider does not have', async () => {
    const { clock, container, asked, take } = setUp({ asks: true })

    await take()
    await clock.advance(0)

    expect(asked).toEqual(['echo.fn'])
    expect(container.resolve(ReplicaDirectory).knows('echo.fn')).toBe(false)
    expect(container.resolve(InstanceDirectory).ready('echo.fn')).toHaveLength(1)
  })

  it('leave no timer when the gateway closes', async () => {
    const { clock, teardown, take } = setUp({ asks: false })
    await take()

    await teardown[Symbol.asyncDispose]()

    expect(clock.pending).toBe(0)
  })
})
