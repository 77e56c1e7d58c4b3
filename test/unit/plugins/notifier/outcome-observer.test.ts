import { describe, expect, it } from 'vitest'
import { GatewayError, Reply, type InvocationOutcome, type ReplyEnd } from '#core'
import { OutcomeObserver } from '../../../../plugins/notifier/outcome-observer.ts'
import { FakeClock } from '../../../support/fake-clock.ts'
import { InvocationEventHub } from '../../../../core/telemetry/invocation-event-hub.ts'
import { FakeLogger } from '../../../support/fake-logger.ts'
import { someExchange } from './some-exchange.ts'

class ScriptedReply extends Reply {
  constructor(status: number) {
    super(status, '', [])
  }

  override sendTo(): void {}

  override discard(): void {
    this.end('discarded', 0)
  }

  end(how: ReplyEnd, bytes: number): void {
    this.finish(how, bytes)
  }
}

function setUp() {
  const clock = new FakeClock()
  const events = new InvocationEventHub({ log: new FakeLogger(), clock })
  const seen: [string, InvocationOutcome][] = []
  events.subscribe({
    completed: (_, outcome) => void seen.push(['completed', outcome]),
    aborted: (_, outcome) => void seen.push(['aborted', outcome]),
  })
  return { clock, seen, observer: new OutcomeObserver({ events, clock }) }
}

describe('OutcomeObserver', () => {
  it('announces a whole answer at its last byte, with the time since the forward and since the receipt', async () => {
    const { clock, seen, observer } = setUp()
    const { exchange } = someExchange()
    const reply = new ScriptedReply(200)

    await clock.advance(400) // held
    exchange.times.forwardedMs = clock.monotonicMs()
    await observer.handle(exchange, async () => reply)
    await clock.advance(100)
    const seenBeforeTheEnd = seen.length
    reply.end('complete', 42)

    expect(seenBeforeTheEnd).toBe(0)
    expect(seen).toEqual([['completed', { status: 200, bytesSent: 42, upstreamMs: 100, totalMs: 500 }]])
  })

  it('announces the status that was sent, should an outer layer change it', async () => {
    const { seen, observer } = setUp()
    const reply = new ScriptedReply(200)

    const answered = await observer.handle(someExchange().exchange, async () => reply)
    answered.status = 203
    reply.end('complete', 0)

    expect(seen[0]?.[1].status).toBe(203)
  })

  it('counts a client that left in the middle of an answer as 499, never as the upstream’s status', async () => {
    const { seen, observer } = setUp()
    const reply = new ScriptedReply(200)

    await observer.handle(someExchange().exchange, async () => reply)
    reply.end('client_gone', 10)

    expect(seen).toEqual([['aborted', expect.objectContaining({ status: 499, bytesSent: 10 })]])
  })

  it.each(['truncated', 'discarded'] as const)(
    'announces an answer that was %s as aborted with its own status',
    async (end) => {
      const { seen, observer } = setUp()
      const reply = new ScriptedReply(200)

      await observer.handle(someExchange().exchange, async () => reply)
      reply.end(end, 7)

      expect(seen).toEqual([['aborted', expect.objectContaining({ status: 200, bytesSent: 7 })]])
    },
  )

  it.each([
    [new GatewayError('upstream_failed', 'refused'), 502],
    [new GatewayError('upstream_timeout', 'late'), 504],
    [new GatewayError('cold_start_timeout', 'never ready'), 504],
    [new TypeError('a bug'), 500],
  ])('announces the failure %s with status %i and throws it on', async (failure, status) => {
    const { seen, observer } = setUp()

    const handled = observer.handle(someExchange().exchange, () => Promise.reject(failure))

    await expect(handled).rejects.toBe(failure)
    expect(seen).toEqual([['completed', { status, bytesSent: 0, upstreamMs: 0, totalMs: 0 }]])
  })

  it('announces a failure after the client left as 499, whatever failed', async () => {
    const { seen, observer } = setUp()
    const { exchange, leave } = someExchange()

    const handled = observer.handle(exchange, async () => {
      leave()
      throw new GatewayError('upstream_failed', 'cancelled')
    })

    await expect(handled).rejects.toThrow('cancelled')
    expect(seen).toEqual([['aborted', expect.objectContaining({ status: 499 })]])
  })
})
