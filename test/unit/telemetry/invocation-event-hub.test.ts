import { describe, expect, it } from 'vitest'
import type { InvocationSink } from '#core'
import { InvocationEventHub } from '../../../core/telemetry/invocation-event-hub.ts'
import { FakeClock } from '../../support/fake-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { someExchange } from '../plugins/notifier/some-exchange.ts'

const { exchange } = someExchange()
const outcome = { status: 200, bytesSent: 1, upstreamMs: 2, totalMs: 3 }

function setUp() {
  const [clock, log] = [new FakeClock(), new FakeLogger()]
  return { clock, log, hub: new InvocationEventHub({ clock, log }) }
}

function recorder(name: string, into: string[]): InvocationSink {
  return { started: () => void into.push(name) }
}

describe('InvocationEventHub', () => {
  it('hands each announcement with its facts to the method of that name', () => {
    const { hub } = setUp()
    const seen: unknown[] = []
    hub.subscribe({
      started: () => void seen.push(['started']),
      held: () => void seen.push(['held']),
      woken: (_, heldMs) => void seen.push(['woken', heldMs]),
      completed: (_, facts) => void seen.push(['completed', facts]),
      aborted: (_, facts) => void seen.push(['aborted', facts]),
    })

    hub.held(exchange)
    hub.woken(exchange, 7)
    hub.started(exchange)
    hub.completed(exchange, outcome)
    hub.aborted(exchange, outcome)

    expect(seen).toEqual([['held'], ['woken', 7], ['started'], ['completed', outcome], ['aborted', outcome]])
  })

  it('announces in the order of subscription, to sinks that care', () => {
    const { hub } = setUp()
    const seen: string[] = []
    hub.subscribe(recorder('first', seen))
    hub.subscribe({})
    hub.subscribe(recorder('second', seen))

    hub.started(exchange)

    expect(seen).toEqual(['first', 'second'])
  })

  it('keeps a method’s own object', () => {
    const { hub } = setUp()
    class Counter implements InvocationSink {
      count = 0

      started(): void {
        this.count += 1
      }
    }
    const counter = new Counter()
    hub.subscribe(counter)

    hub.started(exchange)

    expect(counter.count).toBe(1)
  })

  it('stops announcing to a sink whose subscription is disposed, the same sink’s other one untouched', () => {
    const { hub } = setUp()
    const seen: string[] = []
    const sink = recorder('sink', seen)
    hub.subscribe(sink)
    const second = hub.subscribe(sink)

    second[Symbol.dispose]()
    second[Symbol.dispose]()
    hub.started(exchange)

    expect(seen).toEqual(['sink'])
  })

  it('reaches every sink although one unsubscribes inside the announcement', () => {
    const { hub } = setUp()
    const seen: string[] = []
    const first = hub.subscribe({ started: () => first[Symbol.dispose]() })
    hub.subscribe(recorder('second', seen))

    hub.started(exchange)

    expect(seen).toEqual(['second'])
  })

  it('never lets a failing sink disturb the caller or the other sinks', async () => {
    const { hub, log } = setUp()
    const seen: string[] = []
    hub.subscribe({
      started: () => {
        throw new Error('sink broke')
      },
    })
    const asynchronous = { started: () => Promise.reject(new Error('later')) }
    hub.subscribe(asynchronous)
    hub.subscribe(recorder('healthy', seen))

    hub.started(exchange)
    await new Promise((resolve) => setImmediate(resolve)) // an unhandled rejection would fail the run here

    expect(seen).toEqual(['healthy'])
    expect(log.messages('error')).toEqual(['an invocation sink failed', 'an invocation sink failed'])
  })

  it('logs a sink that always fails once a minute, with the number of failures since', async () => {
    const { hub, log, clock } = setUp()
    hub.subscribe({
      started: () => {
        throw new Error('sink broke')
      },
    })

    for (let i = 0; i < 100; i += 1) hub.started(exchange)
    await clock.advance(60_000)
    hub.started(exchange)

    expect(log.lines.map(({ fields }) => fields['failures'])).toEqual([1, 100])
  })
})
