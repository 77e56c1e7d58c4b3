import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { getHeapStatistics } from 'node:v8'
import { Exchange, functionIdentity, type InvocationOutcome, type InvocationSink } from '#core'
import { InvocationEventHub } from '../../../core/telemetry/invocation-event-hub.ts'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ScrapeReader } from '../../../core/telemetry/scrape-reader.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { AccessLog } from '../../../plugins/notifier/access-log.ts'
import { CallMetrics } from '../../../plugins/notifier/call-metrics.ts'
import { HoldMetrics } from '../../../plugins/notifier/hold-metrics.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { directoryOf, someExchange } from '../../unit/plugins/notifier/some-exchange.ts'
import { bucketsSeconds } from './series-set.ts'

/** What announcing, and recording, one call costs. */
export interface RecordingCost {
  readonly nanoseconds: number
  readonly bytes: number
}

/** A way to record calls. */
export interface Recorder {
  readonly name: string
  readonly sink: Required<Pick<InvocationSink, 'started' | 'completed'>>
}

/** Name of the recorder that records nothing. */
export const bareName = 'event hub without sinks'

const names = Array.from({ length: 1_000 }, (_, i) => `function-${i}`)
const codes = 5
const linesPerSecond = 20

/** The recorders to compare: nothing, what the gateway does, and the instruments of the SDK. */
export function recorders(): readonly Recorder[] {
  const clock = new SystemClock()
  const log = new FakeLogger()
  const hub = (): InvocationEventHub => new InvocationEventHub({ clock, log })
  const full = hub()
  const directory = directoryOf(...names)
  const { meter } = new Metrics({ clock, log })
  full.subscribe(new CallMetrics({ series: new InvocationCells({ clock, log }), directory, meter }))
  full.subscribe(new HoldMetrics({ meter, clock, directory }))
  full.subscribe(new AccessLog({ log, clock, options: { linesPerSecond, withQuery: false } }))
  return [
    { name: bareName, sink: hub() },
    { name: 'event hub with all sinks', sink: full },
    { name: 'OTel SDK: 2 counters, 1 histogram', sink: sdkSink() },
  ]
}

function sdkSink(): Recorder['sink'] {
  const meter = new MeterProvider({ readers: [new ScrapeReader()] }).getMeter('plain')
  const started = meter.createCounter('started')
  const ended = meter.createCounter('ended')
  const seconds = meter.createHistogram('seconds', { advice: { explicitBucketBoundaries: bucketsSeconds } })
  return {
    started: ({ route }) => started.add(1, { function_name: route.identity.key }),
    completed: ({ route }, { status, upstreamMs }) => {
      const attributes = { function_name: route.identity.key, code: String(status) }
      ended.add(1, attributes)
      seconds.record(upstreamMs / 1000, attributes)
    },
  }
}

const { request } = someExchange().exchange
const exchanges = names.map((name) => {
  const route = { identity: functionIdentity(name, 'fn'), rest: '', target: `/function/${name}` }
  return new Exchange('id', request, { route, times: { receivedMs: 1, forwardedMs: 2, heldMs: 0 }, startTime: '0' })
})
const outcomes: readonly InvocationOutcome[] = Array.from({ length: codes }, (_, code) => {
  return { status: 200 + code, bytesSent: 940, upstreamMs: 3 * code, totalMs: 3 * code + 0.1 }
})

/** Announces begin and end of `calls` calls of 1,000 functions in turn, with 5 statuses. */
export function record({ sink }: Recorder, calls: number): RecordingCost {
  const bytesBefore = allocatedBytes()
  const fromNs = process.hrtime.bigint()
  for (let i = 0; i < calls; i += 1) {
    const exchange = exchanges[i % exchanges.length]
    const outcome = outcomes[i % codes]
    if (exchange === undefined || outcome === undefined) continue
    sink.started(exchange)
    sink.completed(exchange, outcome)
  }
  const tookNs = Number(process.hrtime.bigint() - fromNs)
  return { nanoseconds: tookNs / calls, bytes: (allocatedBytes() - bytesBefore) / calls }
}

/** NaN before V8 14, which does not tell. */
function allocatedBytes(): number {
  const statistics = getHeapStatistics() as { total_allocated_bytes?: number } // newer than its types
  return statistics.total_allocated_bytes ?? Number.NaN
}
