import { describe, expect, it } from 'vitest'
import type { InvocationOutcome, ReplicaDirectory } from '#core'
import { InvocationCells } from '../../../../core/telemetry/invocation-cells.ts'
import { Metrics } from '../../../../core/telemetry/metrics.ts'
import { CallMetrics } from '../../../../plugins/notifier/call-metrics.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { directoryOf, readyState, someExchange } from './some-exchange.ts'

const forwarded = { times: { forwardedMs: 1 } }

function setUp(directory: ReplicaDirectory) {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  const series = new InvocationCells({ clock, log })
  const metrics = new Metrics({ clock, log })
  metrics.include(series)
  const sink = new CallMetrics({ series, directory, meter: metrics.meter })
  const page = async () => Buffer.concat([...(await metrics.page())]).toString()
  return { sink, page }
}

function outcome(status: number, upstreamMs = 20): InvocationOutcome {
  return { status, bytesSent: 0, upstreamMs, totalMs: 1_000 }
}

describe('CallMetrics', () => {
  it('counts the start and the end of a forwarded call under name and namespace', async () => {
    const { sink, page } = setUp(directoryOf('echo'))
    const { exchange } = someExchange(forwarded)

    sink.started(exchange)
    const whileInFlight = await page()
    sink.completed(exchange, outcome(200))

    expect(whileInFlight).toContain('gateway_function_invocation_started{function_name="echo.fn"} 1\n')
    expect(whileInFlight).not.toContain('gateway_function_invocation_total{')
    expect(await page()).toContain('gateway_function_invocation_total{function_name="echo.fn",code="200"} 1\n')
  })

  it('measures seconds from the forward, the hold left out', async () => {
    const { sink, page } = setUp(directoryOf('echo'))

    sink.completed(someExchange(forwarded).exchange, outcome(200, 20))

    expect(await page()).toContain('gateway_functions_seconds_sum{function_name="echo.fn",code="200"} 0.02\n')
  })

  it('leaves calls that were never forwarded out', async () => {
    const { sink, page } = setUp(directoryOf('echo'))

    sink.completed(someExchange().exchange, outcome(504))
    sink.aborted(someExchange().exchange, outcome(499))

    expect(await page()).not.toContain('echo')
  })

  it('counts a client that left as 499, and as aborted with that reason', async () => {
    const { sink, page } = setUp(directoryOf('echo'))

    sink.aborted(someExchange(forwarded).exchange, outcome(499))

    expect(await page()).toContain('gateway_function_invocation_total{function_name="echo.fn",code="499"} 1\n')
    expect(await page()).toContain('pilotlight_aborted_total{function_name="echo.fn",reason="client_gone"} 1\n')
  })

  it('counts a truncated answer with the status that was sent, and as aborted', async () => {
    const { sink, page } = setUp(directoryOf('echo'))

    sink.aborted(someExchange(forwarded).exchange, outcome(200))

    expect(await page()).toContain('gateway_function_invocation_total{function_name="echo.fn",code="200"} 1\n')
    expect(await page()).toContain('pilotlight_aborted_total{function_name="echo.fn",reason="truncated"} 1\n')
  })

  it.each([404, 499])('makes no series for an unknown name that ends with %i', async (status) => {
    const { sink, page } = setUp(directoryOf())
    const { exchange } = someExchange(forwarded)

    sink.started(exchange)
    sink.aborted(exchange, outcome(status))

    expect(await page()).not.toContain('echo')
  })

  it.each([200, 502])('counts start and end together when an unknown name is answered %i', async (status) => {
    const { sink, page } = setUp(directoryOf())
    const { exchange } = someExchange(forwarded)

    sink.started(exchange)
    sink.completed(exchange, outcome(status))

    expect(await page()).toContain('gateway_function_invocation_started{function_name="echo.fn"} 1\n')
    expect(await page()).toContain(`gateway_function_invocation_total{function_name="echo.fn",code="${status}"} 1\n`)
  })

  it('counts a 404 of a function that became known while the call ran', async () => {
    const directory = directoryOf()
    const { sink, page } = setUp(directory)
    const { exchange } = someExchange(forwarded)

    sink.started(exchange)
    directory.apply(readyState('echo'))
    sink.completed(exchange, outcome(404))

    expect(await page()).toContain('gateway_function_invocation_started{function_name="echo.fn"} 1\n')
    expect(await page()).toContain('gateway_function_invocation_total{function_name="echo.fn",code="404"} 1\n')
  })

  it('counts the end of a function that was removed while its call ran, as its start was counted', async () => {
    const directory = directoryOf('echo')
    const { sink, page } = setUp(directory)
    const { exchange } = someExchange(forwarded)

    sink.started(exchange)
    directory.remove('echo.fn')
    sink.completed(exchange, outcome(404))

    expect(await page()).toContain('gateway_function_invocation_total{function_name="echo.fn",code="404"} 1\n')
  })
})
