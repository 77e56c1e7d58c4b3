import type { CoordinationStore } from '../../core/coordination/coordination-store.ts'
import { CoordinationMetrics } from '../../core/coordination/coordination-metrics.ts'
import { Fleet } from '../../core/coordination/fleet.ts'
import { LocalReplicaDirectory } from '../../core/replicas/local-replica-directory.ts'
import type { Meter } from '../../core/telemetry/meter.ts'
import { Metrics } from '../../core/telemetry/metrics.ts'
import type { Clock } from '../../core/time/clock.ts'
import { FakeLogger } from './fake-logger.ts'

/** What makes one gateway of a fleet differ from the others. */
export interface FleetGatewaySettings {
  readonly store: CoordinationStore
  readonly clock: Clock
  readonly leaseTtlMs?: number
  /** Default: one of its own. */
  readonly directory?: LocalReplicaDirectory
}

/** One gateway as far as coordination is concerned: its fleet's view, its directory, its log and its metrics. Not started. */
export class FleetGateway implements AsyncDisposable {
  readonly directory: LocalReplicaDirectory
  readonly fleet: Fleet
  readonly log = new FakeLogger()
  readonly #metrics: Metrics

  constructor(settings: FleetGatewaySettings) {
    const { store, clock, leaseTtlMs = 1500, directory = new LocalReplicaDirectory({ clock }) } = settings
    const log = this.log
    this.directory = directory
    this.#metrics = new Metrics({ log, clock })
    const metrics = new CoordinationMetrics(this.#metrics.meter)
    this.fleet = new Fleet({ store, directory, clock, random: () => 0, log, metrics, leaseTtlMs })
  }

  /** What further instruments are made from. */
  get meter(): Meter {
    return this.#metrics.meter
  }

  /** The lines of one series, as they are scraped. */
  async metricLines(name: string): Promise<string[]> {
    const page = Buffer.concat([...(await this.#metrics.page())]).toString()
    return page.split('\n').filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.fleet[Symbol.asyncDispose]()
    await this.#metrics[Symbol.asyncDispose]()
  }
}
