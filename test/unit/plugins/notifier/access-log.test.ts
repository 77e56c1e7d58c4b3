import { describe, expect, it } from 'vitest'
import type { InvocationOutcome } from '#core'
import { AccessLog } from '../../../../plugins/notifier/access-log.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { someExchange } from './some-exchange.ts'

function setUp({ linesPerSecond = 100, withQuery = false } = {}) {
  const [log, clock] = [new FakeLogger(), new FakeClock()]
  return { log, clock, sink: new AccessLog({ log, clock, options: { linesPerSecond, withQuery } }) }
}

function outcome(status: number): InvocationOutcome {
  return { status, bytesSent: 5, upstreamMs: 12.34, totalMs: 512.34 }
}

const forwarded = { times: { forwardedMs: 1, heldMs: 500 } }

describe('AccessLog', () => {
  it('writes a forwarded call in the words that OpenFaaS users search for, with its facts beside it', () => {
    const { log, sink } = setUp()

    sink.completed(someExchange(forwarded).exchange, outcome(200))

    expect(log.lines).toEqual([
      {
        level: 'info',
        message: 'Forwarded [POST] to /function/echo - [200] - 0.0123s',
        fields: {
          callId: 'call-1',
          function: 'echo.fn',
          status: 200,
          bytes: 5,
          seconds: 0.01234,
          heldSeconds: 0.5,
          end: 'complete',
        },
      },
    ])
  })

  it('does not claim to have forwarded a call that ended before', () => {
    const { log, sink } = setUp()

    sink.completed(someExchange().exchange, outcome(503))

    expect(log.messages('info')).toEqual(['Refused [POST] to /function/echo - [503] - 0.5123s'])
  })

  it.each([
    [false, '/function/echo'],
    [true, '/function/echo?token=1'],
  ])('with withQuery %s writes %s', (withQuery, path) => {
    const { log, sink } = setUp({ withQuery })

    sink.completed(someExchange({ ...forwarded, target: '/function/echo?token=1' }).exchange, outcome(200))

    expect(log.messages('info')[0]).toContain(`to ${path} - [200]`)
  })

  it('cuts a path of absurd length', () => {
    const { log, sink } = setUp()

    sink.completed(
      someExchange({ ...forwarded, target: `/function/echo/${'x'.repeat(100_000)}` }).exchange,
      outcome(200),
    )

    expect(log.messages('info')[0]?.length).toBeLessThan(1_200)
  })

  it('writes so many calls a second, and says in the next line how many it left out', async () => {
    const { log, clock, sink } = setUp({ linesPerSecond: 2 })

    for (let i = 0; i < 5; i += 1) sink.completed(someExchange(forwarded).exchange, outcome(200))
    await clock.advance(1000)
    sink.completed(someExchange(forwarded).exchange, outcome(200))

    expect(log.lines.map(({ fields }) => fields['leftOut'])).toEqual([undefined, undefined, 3])
  })

  it('writes every call without a limit', () => {
    const { log, sink } = setUp({ linesPerSecond: Number.POSITIVE_INFINITY })

    for (let i = 0; i < 1000; i += 1) sink.completed(someExchange(forwarded).exchange, outcome(200))

    expect(log.lines).toHaveLength(1000)
  })

  it('has lines left for failed and aborted calls when those that end well used up theirs', () => {
    const { log, sink } = setUp({ linesPerSecond: 3 })
    for (let i = 0; i < 5; i += 1) sink.completed(someExchange(forwarded).exchange, outcome(200))

    sink.completed(someExchange(forwarded).exchange, outcome(502))
    sink.aborted(someExchange(forwarded).exchange, outcome(499))
    sink.aborted(someExchange(forwarded).exchange, outcome(200))

    expect(log.lines.slice(3).map(({ fields }) => fields['end'])).toEqual(['complete', 'client_gone', 'truncated'])
  })
})
