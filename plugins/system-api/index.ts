import {
  Clock,
  definePlugin,
  GatewayConfig,
  HttpClient,
  programVersion,
  ProviderApi,
  ProviderEndpoint,
  ReplicaDirectory,
  SharedDirectory,
} from '#core'
import { Deployments } from './deployments.ts'
import { FleetNews } from './fleet-news.ts'
import { FunctionLogs } from './function-logs.ts'
import { gatewayInfo } from './gateway-info.ts'
import { listFunctions } from './list-functions.ts'
import { systemApiOptions } from './options.ts'
import { ProviderPass } from './provider-pass.ts'
import { systemRoutes } from './routes.ts'
import { ScaleFunction } from './scale-function.ts'

/** Serves the OpenFaaS management API under `/system`. */
export const plugin = definePlugin({
  name: 'system-api',
  needs: {
    api: ProviderApi,
    http: HttpClient,
    endpoint: ProviderEndpoint,
    replicas: ReplicaDirectory,
    shared: SharedDirectory,
    config: GatewayConfig,
    clock: Clock,
  },
  options: systemApiOptions,
  setup({ options, deps, log }) {
    const pass = new ProviderPass({ ...deps, log })
    const news = new FleetNews({ ...deps, log })
    const deployments = new Deployments({ ...deps, pass, news, maxBytes: options.maxDeploymentBytes })
    const scaling = new ScaleFunction({ ...deps, pass, news })
    const logs = new FunctionLogs({ ...deps, log })
    const facts = { release: programVersion(), arch: process.arch }
    return {
      routes: systemRoutes(pass, {
        list: (request) => listFunctions(pass, request),
        deploy: (request) => deployments.handle(request),
        scale: (request) => scaling.handle(request),
        info: (request) => gatewayInfo(deps.api, request, facts),
        logs: (request) => logs.handle(request),
      }),
    }
  },
})
