import { describe, expect, it } from 'vitest'
import type { InvocationOutcome, InvocationSink, ReplicaDirectory } from '#core'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { HoldMetrics } from '../../../../plugins/notifier/hold-metrics.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { directoryOf, someExchange } from './some-exchange.ts'

function setUp(directory: ReplicaDirectory = directoryOf('echo')) {
  const clock = new FakeClock()
  const metrics = new Metrics({ clock, log: new FakeLogger() })
  const sink = new HoldMetrics({ meter: metrics.meter, clock, directory })
  const page = async () => Buffer.concat([...(await metrics.page())]).toString()
  return { clock, sink, page }
}

function outcome(status: number): InvocationOutcome {
  return { status, bytesSent: 0, upstreamMs: 0, totalMs: 0 }
}

describe('HoldMetrics', () => {
  it('measures a hold that ended with the function ready', async () => {
    const { sink, page } = setUp()
    const { exchange } = someExchange()

    sink.held(exchange)
    sink.woken(exchange, 1_500)
    sink.completed(exchange, outcome(200))

    const text = await page()
    expect(text).toContain('pilotlight_hold_seconds_sum{function_name="echo.fn",outcome="woken"} 1.5\n')
    expect(text).toContain('pilotlight_hold_seconds_bucket{function_name="echo.fn",outcome="woken",le="2.5"} 1\n')
    expect(text).toContain('pilotlight_hold_seconds_bucket{function_name="echo.fn",outcome="woken",le="1"} 0\n')
    expect(text).not.toContain('outcome="refused"')
  })

  it.each([
    ['completed', 504, 'timeout'],
    ['completed', 503, 'refused'],
    ['aborted', 499, 'client_gone'],
  ] as const)('ends a hold that was never woken with its call: %s %i is %s', async (event, status, label) => {
    const { clock, sink, page } = setUp()
    const { exchange } = someExchange()

    sink.held(exchange)
    await clock.advance(2_000)
    const announced: InvocationSink = sink
    announced[event]?.(exchange, outcome(status))

    expect(await page()).toContain(`pilotlight_hold_seconds_sum{function_name="echo.fn",outcome="${label}"} 2\n`)
  })

  it('knows a held call again after it was placed on an instance', async () => {
    const { sink, page } = setUp()
    const { exchange } = someExchange()

    sink.held(exchange.placedOn({ origin: 'http://127.0.0.1:1', basePath: '', kind: 'instance' }))
    sink.aborted(exchange)

    expect(await page()).toContain('pilotlight_hold_seconds_count{function_name="echo.fn",outcome="client_gone"} 1\n')
  })

  it('makes no series for a name that turned out to be no function', async () => {
    const { sink, page } = setUp(directoryOf())
    const { exchange } = someExchange()

    sink.held(exchange)
    sink.completed(exchange, outcome(404))

    expect(await page()).not.toContain('echo')
  })
})
