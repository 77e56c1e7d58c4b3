import type { BatchObservableResult, Observable } from '@opentelemetry/api'
import { readdir } from 'node:fs/promises'
import { monitorEventLoopDelay, performance } from 'node:perf_hooks'
import type { Meter } from './meter.ts'

const lagResolutionMs = 10

/**
 * Measures the process itself under the names that Prometheus clients have for it (`process_...`, `nodejs_...`), at each scrape.
 * Event-loop lag is over the time since the last scrape.
 */
export class ProcessMetrics implements Disposable {
  readonly #meter: Meter
  readonly #lag = monitorEventLoopDelay({ resolution: lagResolutionMs })
  readonly #gauges: ReturnType<typeof createGauges>
  readonly #instruments: Observable[]
  readonly #observe = (result: BatchObservableResult): Promise<void> => this.#observeAll(result)
  readonly #buildInfo: { readonly version: string; readonly node: string }
  #utilization = performance.eventLoopUtilization()

  constructor(deps: { meter: Meter; version: string }) {
    this.#meter = deps.meter
    this.#buildInfo = { version: deps.version, node: process.version }
    this.#gauges = createGauges(deps.meter)
    this.#instruments = Object.values(this.#gauges)
    this.#meter.addBatchObservableCallback(this.#observe, this.#instruments)
    this.#lag.enable()
  }

  [Symbol.dispose](): void {
    this.#lag.disable()
    this.#meter.removeBatchObservableCallback(this.#observe, this.#instruments)
  }

  async #observeAll(result: BatchObservableResult): Promise<void> {
    const gauges = this.#gauges
    const { rss, heapUsed, heapTotal, external } = process.memoryUsage()
    const { user, system } = process.cpuUsage()
    result.observe(gauges.buildInfo, 1, this.#buildInfo)
    result.observe(gauges.cpuSeconds, (user + system) / 1e6)
    result.observe(gauges.startTimeSeconds, performance.timeOrigin / 1000)
    result.observe(gauges.residentBytes, rss)
    result.observe(gauges.heapUsedBytes, heapUsed)
    result.observe(gauges.heapTotalBytes, heapTotal)
    result.observe(gauges.externalBytes, external)
    this.#observeEventLoop(result)
    const openFds = await countOpenFds()
    if (openFds !== undefined) result.observe(gauges.openFds, openFds)
  }

  #observeEventLoop(result: BatchObservableResult): void {
    const gauges = this.#gauges
    const now = performance.eventLoopUtilization()
    result.observe(gauges.loopUtilization, performance.eventLoopUtilization(now, this.#utilization).utilization)
    this.#utilization = now
    const lag = this.#lag
    result.observe(gauges.lagP50, lagSeconds(lag.percentile(50)))
    result.observe(gauges.lagP99, lagSeconds(lag.percentile(99)))
    result.observe(gauges.lagMax, lag.count === 0 ? 0 : lagSeconds(lag.max))
    lag.reset()
  }
}

function createGauges(meter: Meter) {
  const gauge = (name: string, description: string) => meter.createObservableGauge(name, { description })
  return {
    buildInfo: gauge('pilotlight_build_info', 'Version of the gateway and of the Node.js it runs on; always 1.'),
    cpuSeconds: meter.createObservableCounter('process_cpu_seconds_total', {
      description: 'Total user and system CPU time spent in seconds.',
    }),
    startTimeSeconds: gauge('process_start_time_seconds', 'Start time of the process since unix epoch in seconds.'),
    residentBytes: gauge('process_resident_memory_bytes', 'Resident memory size in bytes.'),
    openFds: gauge('process_open_fds', 'Number of open file descriptors.'),
    heapUsedBytes: gauge('nodejs_heap_size_used_bytes', 'Heap memory in use, in bytes.'),
    heapTotalBytes: gauge('nodejs_heap_size_total_bytes', 'Heap memory reserved, in bytes.'),
    externalBytes: gauge('nodejs_external_memory_bytes', 'Memory outside the heap that its objects hold, in bytes.'),
    lagP50: gauge('nodejs_eventloop_lag_p50_seconds', 'Median event-loop lag since the last scrape.'),
    lagP99: gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the event-loop lag since the last scrape.'),
    lagMax: gauge('nodejs_eventloop_lag_max_seconds', 'Longest event-loop lag since the last scrape.'),
    loopUtilization: gauge(
      'nodejs_eventloop_utilization',
      'Share of the time since the last scrape that the loop was busy.',
    ),
  }
}

/** The monitor reports the whole interval between two of its ticks, in nanoseconds; what exceeds the resolution is lag. */
function lagSeconds(nanoseconds: number): number {
  return Math.max(0, nanoseconds - lagResolutionMs * 1e6) / 1e9
}

/** Counts the descriptors, the one that reads them left out; undefined where the platform does not list them. */
async function countOpenFds(): Promise<number | undefined> {
  try {
    return (await readdir('/proc/self/fd')).length - 1
  } catch {
    return undefined
  }
}
