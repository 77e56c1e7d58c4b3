import {
  Clock,
  definePlugin,
  Existence,
  GatewayConfig,
  Meter,
  ReadinessAnnouncer,
  ReplicaDirectory,
  ServiceQuery,
  SharedDirectory,
} from '#core'
import { readinessPushOptions } from './options.ts'
import { readyRoute } from './ready-route.ts'

/** Lets others announce that a function is ready, before the provider is asked again. */
export const plugin = definePlugin({
  name: 'readiness-push',
  needs: {
    announcer: ReadinessAnnouncer,
    query: ServiceQuery,
    replicas: ReplicaDirectory,
    shared: SharedDirectory,
    clock: Clock,
    meter: Meter,
    config: GatewayConfig,
  },
  options: readinessPushOptions,
  setup({ options, deps, log }) {
    const { maxBodyBytes, maxChecks } = options
    const existence = new Existence({ ...deps, log, maxChecks })
    const defaultNamespace = deps.config.functionNamespace
    return { routes: [readyRoute({ ...deps, existence, log, defaultNamespace, maxBodyBytes })] }
  },
})
