import type { Attributes, Meter } from '@opentelemetry/api'
import { functionIdentity } from '#core'
import { LocalReplicaDirectory } from '../../../core/replicas/local-replica-directory.ts'
import { InvocationCells } from '../../../core/telemetry/invocation-cells.ts'
import { Metrics } from '../../../core/telemetry/metrics.ts'
import { ReplicaSeries } from '../../../core/telemetry/replica-series.ts'
import { SystemClock } from '../../../core/time/system-clock.ts'
import { FakeLogger } from '../../support/fake-logger.ts'
import { readyState } from '../../unit/plugins/notifier/some-exchange.ts'

/** Upper bounds of buckets, in seconds, that OpenFaaS and this gateway have. */
export const bucketsSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
const wakeBucketsSeconds = [...bucketsSeconds, 30, 60]
const phases = ['status', 'scale', 'ready']

/** How many series a process has. */
export interface SeriesSet {
  readonly functions: number
  readonly codes: number
}

/** Adds one call of every function and code, and one wake of every function. */
export interface Filled {
  fill(set: SeriesSet): void
}

/** The names of the functions. */
export function functionKeys({ functions }: SeriesSet): readonly string[] {
  return Array.from({ length: functions }, (_, i) => functionIdentity(`function-${i}`, 'openfaas-fn').key)
}

/** Durations that fall into all buckets in turn. */
function secondsOf(index: number): number {
  return (index % 97) ** 2 / 900
}

/** What a gateway measures: the series of calls and replicas, and those of wakes, that are instruments. */
export class GatewaySeries implements Filled {
  readonly clock = new SystemClock()
  readonly log = new FakeLogger()
  readonly metrics = new Metrics(this)
  readonly #cells = new InvocationCells(this)
  readonly #directory = new LocalReplicaDirectory(this)
  readonly #wakes: Wakes

  constructor() {
    this.metrics.include(this.#cells)
    this.metrics.include(new ReplicaSeries({ directory: this.#directory }))
    this.#wakes = new Wakes(this.metrics.meter)
  }

  fill(set: SeriesSet): void {
    for (const [index, key] of functionKeys(set).entries()) {
      if (!this.#directory.knows(key)) this.#directory.apply({ ...readyState(key), identity: { name: key, namespace: '', key } }) // prettier-ignore
      this.#wakes.add(key)
      for (let code = 0; code < set.codes; code += 1) {
        this.#cells.started(key)
        this.#cells.ended(key, 200 + code, secondsOf(index + code))
      }
    }
  }
}

/** The same series as instruments of the SDK, nothing else. */
export class PlainSeries implements Filled {
  readonly #started
  readonly #ended
  readonly #seconds
  readonly #wakes: Wakes
  #keys: readonly string[] = []

  constructor(meter: Meter) {
    this.#started = meter.createCounter('gateway_function_invocation_started')
    this.#ended = meter.createCounter('gateway_function_invocation_total')
    this.#seconds = meter.createHistogram('gateway_functions_seconds', adviceOf(bucketsSeconds))
    this.#wakes = new Wakes(meter)
    meter.createObservableGauge('gateway_service_count').addCallback((result) => {
      for (const key of this.#keys) result.observe(1, { function_name: key })
    })
  }

  fill(set: SeriesSet): void {
    this.#keys = functionKeys(set)
    for (const [index, key] of this.#keys.entries()) {
      this.#wakes.add(key)
      for (let code = 0; code < set.codes; code += 1) {
        const attributes: Attributes = { function_name: key, code: String(200 + code) }
        this.#started.add(1, { function_name: key })
        this.#ended.add(1, attributes)
        this.#seconds.record(secondsOf(index + code), attributes)
      }
    }
  }
}

/** The instruments of scale-from-zero that have series for each function. */
class Wakes {
  readonly #wakes
  readonly #phases

  constructor(meter: Meter) {
    this.#wakes = meter.createCounter('pilotlight_wakes_total')
    this.#phases = meter.createHistogram('pilotlight_wake_phase_seconds', adviceOf(wakeBucketsSeconds))
  }

  add(key: string): void {
    this.#wakes.add(1, { function_name: key, outcome: 'ready', role: 'leader' })
    for (const phase of phases) this.#phases.record(0.1, { function_name: key, phase })
  }
}

function adviceOf(explicitBucketBoundaries: number[]) {
  return { advice: { explicitBucketBoundaries } }
}
