/** A process with many series; its argument is its `Role`, and it obeys each `Order` of scraped.ts. */
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus'
import { MeterProvider } from '@opentelemetry/sdk-metrics'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { MergedMetrics } from '../../../core/telemetry/merged/merged-metrics.ts'
import { MetricsReporter } from '../../../core/telemetry/merged/metrics-reporter.ts'
import { MetricsServer } from '../../../core/telemetry/metrics-server.ts'
import { ProcessLine } from '../../../core/workers/process-line.ts'
import { answerQuestions } from '../../../core/workers/questions.ts'
import { LoopProbe } from './loop-probe.ts'
import { orderTopic, Scraped, type LongestBlocks, type Order, type Role } from './scraped.ts'
import { GatewaySeries, PlainSeries, type SeriesSet } from './series-set.ts'

const host = '127.0.0.1'

/** What is scraped here: how it listens, and how it gets its series. */
interface Subject {
  readonly listen: () => Promise<number>
  readonly fill: (set: SeriesSet) => void | Promise<void>
  readonly workers?: readonly Scraped[]
}

const line = new ProcessLine(process)

const subjects: Readonly<Record<Role, () => Subject>> = {
  gateway: () => {
    const series = new GatewaySeries()
    return { listen: () => serve(series.metrics, series), fill: (set) => series.fill(set) }
  },
  worker: () => {
    const series = new GatewaySeries()
    void new MetricsReporter({ metrics: series.metrics, line })
    return { listen: async () => 0, fill: (set) => series.fill(set) }
  },
  supervisor: () => {
    const own = new GatewaySeries()
    const { clock, log, metrics } = own
    const merged = new MergedMetrics({ clock, log, own: metrics })
    const workers = [1, 2].map((number) => new Scraped(`worker ${number}`, 'worker'))
    for (const [index, worker] of workers.entries()) merged.add(index + 1, worker.line)
    const fill = async (set: SeriesSet): Promise<void> => {
      for (const worker of workers) await worker.order({ order: 'fill', set })
    }
    return { listen: () => serve(merged, own), fill, workers }
  },
  exporter: () => {
    const exporter = new RoomyExporter({ preventServerStart: true })
    const series = new PlainSeries(new MeterProvider({ readers: [exporter] }).getMeter('plain'))
    const listen = (): Promise<number> =>
      listenFor((request, response) => exporter.getMetricsRequestHandler(request, response))
    return { listen, fill: (set) => series.fill(set) }
  },
}

/** As it comes, but for the limit of 2,000 series. */
class RoomyExporter extends PrometheusExporter {
  override selectCardinalityLimit(): number {
    return 20_000
  }
}

function serve(metrics: { page(): Promise<Iterable<Uint8Array>> }, { clock, log }: GatewaySeries): Promise<number> {
  return new MetricsServer({ metrics, readiness: () => [], clock, log }).listen(host, 0)
}

function listenFor(listener: RequestListener): Promise<number> {
  const server = createServer(listener)
  return new Promise((resolve) => {
    server.listen(0, host, () => resolve((server.address() as AddressInfo).port)) // a listening TCP server has this kind of address
  })
}

const subject = subjects[process.argv[2] as Role]() // started by scraped.ts only
const workers = subject.workers ?? []
const probe = new LoopProbe()

async function obey(order: Order): Promise<unknown> {
  switch (order.order) {
    case 'listen':
      return subject.listen()
    case 'fill':
      return subject.fill(order.set)
    case 'watch':
      await Promise.all(workers.map((worker) => worker.order(order)))
      return probe.start()
    case 'figures': {
      const ownMs = probe.stop()
      const answers = await Promise.all(workers.map((worker) => worker.order(order)))
      return { ownMs, workersMs: (answers as LongestBlocks[]).map((one) => one.ownMs) } // see Order
    }
  }
}

answerQuestions(line, orderTopic, (order) => obey(order as Order)) // scraped.ts sends nothing else
line.onClosed(() => process.exit())
