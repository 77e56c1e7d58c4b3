import { GatewayConfig } from '../config/gateway-config.ts'
import { Coordination } from '../coordination/coordination.ts'
import { AddressRules } from '../instances/address-rules.ts'
import { FleetInstances } from '../instances/fleet-instances.ts'
import type { HeldInstance } from '../instances/held-instance.ts'
import { InstanceDirectory, InstanceRegistry } from '../instances/instance-directory.ts'
import { SharingMetrics } from '../instances/sharing-metrics.ts'
import { LocalInstances } from '../instances/local-instances.ts'
import { functionIdentity } from '../provider/function-identity.ts'
import { ServiceQuery } from '../provider/service-query.ts'
import { Existence } from '../replicas/existence.ts'
import { ReplicaDirectory } from '../replicas/replica-directory.ts'
import { Logger } from '../telemetry/logger.ts'
import { Meter } from '../telemetry/meter.ts'
import { Clock } from '../time/clock.ts'
import { provide, type Container, type Provider } from './container.ts'
import { token } from './token.ts'

/** Token of both sides of what is known of instances. */
const Instances = token<FleetInstances>('Instances')

/** Functions, unknown so far, that the provider is asked about at a time because instances report for them. */
const maxChecks = 16

/** What is known of the instances of functions. Begins with the first plugin that needs it. */
export const instanceProviders: readonly Provider[] = [
  { register: (container) => container.add(Instances, () => createInstances(container)) },
  provide(InstanceDirectory, { instances: Instances }, ({ instances }) => instances.directory),
  // Not the whole: that is closed once, by its own token.
  provide(InstanceRegistry, { instances: Instances }, ({ instances }) => ({
    take: (report) => instances.take(report),
  })),
]

function createInstances(container: Container): FleetInstances {
  const { config, coordination, meter, ...deps } = container.resolveAll({
    config: GatewayConfig,
    coordination: Coordination,
    meter: Meter,
    replicas: ReplicaDirectory,
    clock: Clock,
    log: Logger,
  })
  const local = new LocalInstances(deps)
  const { instanceKey: key, instanceNetworks, instanceTls, instanceTtlMs: ttlMs } = config
  return new FleetInstances({
    ...deps,
    local,
    entries: coordination.entries,
    announcer: coordination.shared,
    metrics: new SharingMetrics(meter),
    settings: { key, ttlMs, networks: new AddressRules(instanceNetworks), needsTls: instanceTls !== '' },
    exists: existenceIn(container),
  })
}

/**
 * Asks the provider about functions that are not known yet, once a plugin has brought one along. Where none does, next to an embedded
 * provider, whoever runs the functions is the only one who reports.
 */
function existenceIn(container: Container): (instance: HeldInstance) => Promise<boolean> {
  let existence: Existence | undefined
  return async ({ functionKey, record: { name, namespace } }) => {
    const replicas = container.resolve(ReplicaDirectory)
    if (replicas.knows(functionKey) || !container.has(ServiceQuery)) return true
    const { clock, log, query, coordination } = container.resolveAll({
      clock: Clock,
      log: Logger,
      query: ServiceQuery,
      coordination: Coordination,
    })
    existence ??= new Existence({ query, replicas, shared: coordination.shared, clock, log, maxChecks })
    return existence.confirm(functionIdentity(name, namespace))
  }
}
