import {
  Clock,
  Coordinator,
  definePlugin,
  GatewayConfig,
  HeldBudget,
  InvocationEvents,
  Meter,
  Random,
  ReplicaDirectory,
  ServiceQuery,
} from '#core'
import { scaleFromZeroOptions } from './options.ts'
import { ReadyGate } from './ready-gate.ts'
import { WakeMetrics } from './wake-metrics.ts'
import { WakeQueue } from './wake-queue.ts'

/** Holds calls of functions at zero, has the function woken once, and lets the calls go when it is ready. */
export const scaleFromZero = definePlugin({
  name: 'scale-from-zero',
  needs: {
    query: ServiceQuery,
    coordinator: Coordinator,
    directory: ReplicaDirectory,
    events: InvocationEvents,
    config: GatewayConfig,
    clock: Clock,
    random: Random,
    meter: Meter,
  },
  options: scaleFromZeroOptions,
  setup({ options, deps, log }) {
    const budget = new HeldBudget(options)
    const metrics = new WakeMetrics(deps.meter, () => budget.count)
    const queue = new WakeQueue({ ...deps, options, log, metrics, budget, holdTimeoutMs: deps.config.holdTimeoutMs })
    const gate = new ReadyGate({ ...deps, queue })
    return {
      invocation: { stage: 'place', handle: (exchange, next) => gate.handle(exchange, next) },
      [Symbol.asyncDispose]: () => queue[Symbol.asyncDispose](),
    }
  },
})

export default scaleFromZero
