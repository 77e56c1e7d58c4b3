import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import {
  AddressRules,
  Clock,
  definePlugin,
  Forwarder,
  GatewayConfig,
  HeldBudget,
  HttpClient,
  InstanceDirectory,
  InstanceRegistry,
  Meter,
  Random,
  ReplicaDirectory,
} from '#core'
import { InstanceMetrics } from './instance-metrics.ts'
import { instancesRoute } from './listing/instances-route.ts'
import { instancesOptions } from './options.ts'
import type { Candidate } from './placement/candidate.ts'
import type { EjectionCause } from './placement/function-pool.ts'
import { InstancePools } from './placement/instance-pools.ts'
import { Placement } from './placement/placement.ts'
import { reportRoute } from './reports/report-route.ts'
import { SlotQueue } from './slots/slot-queue.ts'
import { SlotsClient } from './slots/slots-client.ts'

/** Takes reports of sidecars, and sends calls straight to the instances that they speak for. */
export const instances = definePlugin({
  name: 'instances',
  needs: {
    clock: Clock,
    config: GatewayConfig,
    directory: InstanceDirectory,
    forwarder: Forwarder,
    http: HttpClient,
    meter: Meter,
    random: Random,
    registry: InstanceRegistry,
    replicas: ReplicaDirectory,
  },
  options: instancesOptions,
  setup({ options, deps, log }) {
    const { config, directory } = deps
    const { instanceKey: key, functionNamespace: defaultNamespace, replayBodyBytes, holdTimeoutMs } = config
    // Workers of one gateway have one host name.
    const gatewayId = `${hostname()}-${randomBytes(6).toString('hex')}`
    const budget = new HeldBudget(options)
    const metrics = new InstanceMetrics(deps.meter, directory, () => budget.count)
    const slots = new SlotsClient({ ...deps, key, gatewayId, log, metrics })
    const onEjected = ({ instance: { record, functionKey }, health }: Candidate, cause: EjectionCause): void => {
      metrics.ejected(cause)
      log.warn('instance ejected', { function: functionKey, instance: record.id, cause, pauseMs: health.pauseMs })
    }
    const queueDeps = { ...deps, slots, metrics, budget, holdTimeoutMs }
    const pools = new InstancePools({
      ...deps,
      gatewayId,
      onEjected,
      createQueue: (pool) => new SlotQueue(queueDeps, pool),
    })
    const placement = new Placement({ ...deps, pools, slots, metrics, replayBodyBytes })
    const reports = { isKeyRandom: config.isInstanceKeyRandom, maxReportBytes: options.maxReportBytes }
    const rules = { networks: new AddressRules(config.instanceNetworks), needsTls: config.instanceTls !== '' }
    return {
      invocation: { stage: 'place', handle: (exchange, next) => placement.handle(exchange, next) },
      routes: [
        reportRoute({ ...deps, ...reports, key, rules, metrics, defaultNamespace }),
        instancesRoute({ directory, pools, defaultNamespace }),
      ],
      [Symbol.asyncDispose]: async () => pools[Symbol.dispose](),
    }
  },
})

export default instances
