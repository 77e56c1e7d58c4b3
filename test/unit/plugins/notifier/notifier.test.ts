import { describe, expect, it } from 'vitest'
import { BufferReply, type GatewayConfig } from '#core'
import { InvocationCells } from '../../../../core/telemetry/invocation-cells.ts'
import { InvocationEventHub } from '../../../../core/telemetry/invocation-event-hub.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { plugin } from '../../../../plugins/notifier/index.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { directoryOf, someExchange } from './some-exchange.ts'

function setUp(options: unknown) {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  const series = new InvocationCells({ clock, log })
  const deps = {
    clock,
    config: { writeRequestUri: false } as GatewayConfig, // the one setting that the notifier reads
    directory: directoryOf('echo'),
    events: new InvocationEventHub({ log, clock }),
    meter: new Metrics({ log, clock }).meter,
    random: () => 0.5,
    series,
  }
  return { series, log, instance: plugin.setup({ options: plugin.options.parse(options), deps, log }) }
}

async function callOnce(instance: Awaited<ReturnType<typeof plugin.setup>>): Promise<void> {
  const { exchange } = someExchange({ times: { forwardedMs: 1 } })
  const reply = await instance.invocation?.handle(exchange, async () => new BufferReply(200))
  reply?.discard()
}

describe('notifier', () => {
  it('observes the function path and writes metrics and the access log by default', async () => {
    const { series, log, instance } = setUp({})

    await callOnce(await instance)

    expect((await instance).invocation?.stage).toBe('observe')
    expect(await series.totals()).toEqual(new Map([['echo.fn', 1]]))
    expect(log.messages('info')).toHaveLength(1)
  })

  it('writes no access log when it is off', async () => {
    const { series, log, instance } = setUp({ accessLog: 'off' })

    await callOnce(await instance)

    expect(await series.totals()).toEqual(new Map([['echo.fn', 1]]))
    expect(log.lines).toEqual([])
  })

  it('stops listening when it is closed', async () => {
    const { series, instance } = setUp({})

    await (await instance)[Symbol.asyncDispose]?.()
    await callOnce(await instance)

    expect(await series.totals()).toEqual(new Map())
  })

  it.each([{ accessLogs: 'off' }, { accessLog: 'some' }, { linesPerSecond: 0 }])(
    'refuses the options %j',
    (options) => {
      expect(() => plugin.options.parse(options)).toThrow()
    },
  )
})
