import { AddressRules, defaultInstanceNetworks, functionIdentity, readyState, type InstanceReceipt } from '#core'
import { FleetInstances } from '../../core/instances/fleet-instances.ts'
import { LocalInstances } from '../../core/instances/local-instances.ts'
import { SharingMetrics } from '../../core/instances/sharing-metrics.ts'
import { FleetGateway, type FleetGatewaySettings } from './fleet-gateway.ts'
import { instanceKey, reportOf, type ReportSettings } from './instance-reports.ts'

/** What makes one gateway differ from the others. */
export interface InstancesGatewaySettings extends FleetGatewaySettings {
  /** Default: that of all tests. */
  readonly key?: string
  readonly networks?: readonly string[]
  readonly ttlMs?: number
  /** Default false. */
  readonly needsTls?: boolean
  /** Default: the provider has every function. */
  readonly exists?: (functionKey: string) => Promise<boolean>
}

/** One gateway of a fleet as far as coordination and instances are concerned. Not started. */
export class InstancesGateway extends FleetGateway {
  readonly instances: FleetInstances
  readonly #clock: FleetGatewaySettings['clock']
  #revision = 0

  constructor(settings: InstancesGatewaySettings) {
    super(settings)
    const { clock, key = instanceKey, networks = defaultInstanceNetworks, ttlMs = 10_000 } = settings
    const { exists = async () => true, needsTls = false } = settings
    this.#clock = clock
    this.instances = new FleetInstances({
      local: new LocalInstances({ clock, log: this.log }),
      replicas: this.directory,
      entries: this.fleet.entries,
      announcer: this.fleet.shared,
      clock,
      log: this.log,
      metrics: new SharingMetrics(this.meter),
      settings: { key, ttlMs, networks: new AddressRules(networks), needsTls },
      exists: ({ functionKey }) => exists(functionKey),
    })
  }

  /** Takes a report, sent now, of a revision larger than all before unless it says otherwise. */
  take(settings: ReportSettings = {}): Promise<InstanceReceipt> {
    this.#revision = Math.max(this.#revision + 1, settings.revision ?? 0)
    return this.instances.take(reportOf({ revision: this.#revision, sentAtMs: this.#clock.nowMs(), ...settings }))
  }

  /** Ids of the instances of `echo.fn` that take calls. */
  get ready(): readonly string[] {
    return this.instances.directory.ready('echo.fn').map(({ record }) => record.id)
  }

  /** Ids of all instances. */
  get known(): readonly string[] {
    return Array.from(this.instances.directory.all(), ({ record }) => record.id).toSorted()
  }

  /** What is known of the function `echo.fn`. */
  get phase(): string | undefined {
    return this.directory.get('echo.fn')?.phase
  }

  /** Has the function known as one that the provider has. */
  knowFunction(phase: 'zero' | 'waking' = 'waking'): void {
    const identity = functionIdentity('echo', 'fn')
    const seen = { available: 1, observedAtMs: this.#clock.nowMs() }
    this.directory.apply({ ...readyState(identity, undefined, seen), phase, available: 0 })
  }

  override async [Symbol.asyncDispose](): Promise<void> {
    await this.instances[Symbol.asyncDispose]()
    await super[Symbol.asyncDispose]()
  }
}
